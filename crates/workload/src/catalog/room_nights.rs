//! `room-nights`: a stay of several nights in a room of which there are `capacity`.
//!
//! The hotel's way: one lock per night, taken in the order of the nights, then in one transaction the inventory of each
//! night is read and one more is booked. Stays overlap in part: the one that ends a night later shares all nights but one.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::several::{Part, book_all, nights};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "room-nights",
    summary: "lock every night of a stay in order, take one room of each in one transaction, release",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[FlowField::Nights],
    tokenless: None,
    control: None,
    flow: &RoomNights,
};

#[derive(Debug)]
struct RoomNights;

impl Flow for RoomNights {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let slots = nights(target, holder.settings.parts).collect();
            book_all(holder, target, slots, Part::GivenBack).await
        }
        .boxed()
    }
}

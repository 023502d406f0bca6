//! `compound`: an appointment of several segments, all or none.
//!
//! One lock per segment, taken in the order of their names: two bookings that share segments meet at the first one that
//! both want, and never each hold what the other waits for. When one is held, those before it are given back. The
//! segments are checked and written in one transaction, in the same order, so that the database's own locks are taken in
//! it as well.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::several::{Part, book_all, segments};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "compound",
    summary: "lock neighbouring slots in order, book all of them in one transaction or none, release",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[FlowField::Segments],
    tokenless: None,
    control: None,
    flow: &Compound,
};

#[derive(Debug)]
struct Compound;

impl Flow for Compound {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let slots = segments(target, holder.settings.parts).collect();
            book_all(holder, target, slots, Part::GivenBack).await
        }
        .boxed()
    }
}

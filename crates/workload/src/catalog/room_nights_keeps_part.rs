//! `room-nights-keeps-part` (control): [`room-nights`](super::room_nights) that forgets what it holds when it cannot have
//! all.
//!
//! Failure mode F52: a later night is held by somebody else, the attempt ends, and the locks of the nights before stand
//! until their TTL ends, with nobody behind them.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::several::{Part, book_all, nights};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "room-nights-keeps-part",
    summary: "as room-nights, but the locks that were taken are kept when the next one is held",
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
    control: Some("locks of a stay that had to be given up stand until their TTL ends (F52)"),
    flow: &RoomNightsKeepsPart,
};

#[derive(Debug)]
struct RoomNightsKeepsPart;

impl Flow for RoomNightsKeepsPart {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let slots = nights(target, holder.settings.parts).collect();
            book_all(holder, target, slots, Part::Kept).await
        }
        .boxed()
    }
}

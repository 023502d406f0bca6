//! `compound-unordered` (control): [`compound`](super::compound) in whichever order the customer picked.
//!
//! Failure mode F51: every second booking takes its locks from the last segment to the first. Two that cross each hold
//! what the other waits for. Locks that are waited for so many times end that with nobody booked; a database's row locks
//! end it with a deadlock, of which one is the victim.
//!
//! ```text
//!   A  acquire 1 ──── acquire 2 … held, held, held: gives up
//!   B  acquire 2 ──── acquire 1 … held, held, held: gives up
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::several::{Part, book_all, segments};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "compound-unordered",
    summary: "as compound, but every second booking takes its locks in the inverse order",
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
    control: Some("bookings that cross each hold what the other waits for (F51)"),
    flow: &CompoundUnordered,
};

#[derive(Debug)]
struct CompoundUnordered;

impl Flow for CompoundUnordered {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let in_order = segments(target, holder.settings.parts);
            let slots = match target.attempt.0 % 2 {
                0 => in_order.rev().collect(),
                _ => in_order.collect(),
            };
            book_all(holder, target, slots, Part::GivenBack).await
        }
        .boxed()
    }
}

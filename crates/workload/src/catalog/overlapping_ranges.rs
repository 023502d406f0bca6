//! `overlapping-ranges`: two-hour appointments of one resource that may begin at any hour, each locked by its start.
//!
//! Failure mode F45: `[10, 12)` and `[11, 13)` overlap and have different lock keys, so that whoever asks the lock alone is
//! told that both are free. Slots stand in pairs: the odd one is the resource and the lock of its ten o'clock, the even one
//! is the lock of its eleven o'clock.
//!
//! ```text
//!   slot 1   acquire slot-1 ── begin, check [10, 12) of slot 1: free ─── insert, commit
//!   slot 2   acquire slot-2 ── begin, check [11, 13) of slot 1: free ─── insert, commit      sold twice
//! ```
//!
//! What helps is a guard that knows the resource (its row, its version) or the ranges (an exclusion constraint), or to
//! lock every hour in order, as `compound` does. A unique (slot, range, unit) does not: the ranges differ.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, SlotId, Span, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "overlapping-ranges",
    summary: "lock the start of a range that overlaps its neighbour, check, work, insert, commit, release",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[],
    tokenless: None,
    control: None,
    flow: &OverlappingRanges,
};

#[derive(Debug)]
struct OverlappingRanges;

impl Flow for OverlappingRanges {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let (resource, span) = wanted(target);
            let result = write(holder, resource, span, &lease).await.unwrap_or_else(|ended| ended);
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

/// The resource, and the hours of it.
const fn wanted(target: Target) -> (Target, Span) {
    let hour = (target.slot.0 - 1) % 2;
    let slot = SlotId(target.slot.0 - hour);
    (Target { slot, ..target }, Span { from: 10 + hour, to: 12 + hour })
}

/// Everything under the lock; either arm is what came of the attempt.
async fn write(
    holder: &mut Holder,
    resource: Target,
    span: Span,
    lease: &Lease,
) -> Result<AttemptResult, AttemptResult> {
    holder.begin_span(resource, span, lease).await?;
    holder.check(resource).await?;
    holder.work(resource).await;
    holder.insert(resource).await?;
    holder.commit(resource).await
}

//! `hold-and-extend`: a seat is held for as long as the work on it takes.
//!
//! The lease is shorter than the work and renewed during it. A renewal that finds the lease lost stops the work: what
//! follows would be done by somebody who no longer holds the seat. It cannot stop what is under way: between the last
//! renewal and the write the lease may end as in any other flow, for which the seat system checks a version.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::renewing::{self, Heeds};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "hold-and-extend",
    summary: "lock the slot, check, work and renew the lease meanwhile, stop when it is lost, insert, commit, release",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Renew,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[FlowField::Refresh],
    tokenless: None,
    control: None,
    flow: &HoldAndExtend,
};

#[derive(Debug)]
struct HoldAndExtend;

impl Flow for HoldAndExtend {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let mut lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let result = write(holder, target, &mut lease).await.unwrap_or_else(|ended| ended);
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

/// Everything under the lock; either arm is what came of the attempt.
async fn write(
    holder: &mut Holder,
    target: Target,
    lease: &mut Lease,
) -> Result<AttemptResult, AttemptResult> {
    holder.begin(target, &*lease).await?;
    holder.check(target).await?;
    renewing::spend(holder, target, lease, Step::Work, Heeds::News).await?;
    holder.insert(target).await?;
    holder.commit(target).await
}

//! `hold-and-extend-heedless` (control): [`hold-and-extend`](super::hold_and_extend) that goes on when a renewal fails.
//!
//! Failure mode F42: the renewal runs, its answer is thrown away, and the work ends with a write under a lease that
//! somebody else may have. A run that calls this safe cannot see a lost lease.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::renewing::{self, Heeds};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "hold-and-extend-heedless",
    summary: "as hold-and-extend, but the work goes on when the lease is lost",
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
    control: Some("the work goes on though its renewal was refused (F42)"),
    flow: &HoldAndExtendHeedless,
};

#[derive(Debug)]
struct HoldAndExtendHeedless;

impl Flow for HoldAndExtendHeedless {
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
    renewing::spend(holder, target, lease, Step::Work, Heeds::Nothing).await?;
    holder.insert(target).await?;
    holder.commit(target).await
}

//! `side-effect-outside-fence` (control): the customer is told before the database has agreed.
//!
//! Failure mode F58: the e-mail is sent, the card is charged, and then the guard refuses the write of a holder whose lease
//! had ended. The table is right and two customers were told. See `outbox` for what helps.
//!
//! ```text
//!   A  acquire, check: free ··· its lease ends ··· notify, insert: refused
//!   B                           acquire, check: free, notify, insert, commit
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "side-effect-outside-fence",
    summary: "as lock-and-book, but the customer is told before the write, which may be refused",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Notify,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[],
    tokenless: None,
    control: Some("a guard that refuses the write cannot take back what was sent before it (F58)"),
    flow: &SideEffectOutsideFence,
};

#[derive(Debug)]
struct SideEffectOutsideFence;

impl Flow for SideEffectOutsideFence {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let result = write(holder, target, &lease).await.unwrap_or_else(|ended| ended);
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
    lease: &Lease,
) -> Result<AttemptResult, AttemptResult> {
    holder.begin(target, lease).await?;
    holder.check(target).await?;
    holder.work(target).await;
    holder.notify(target).await;
    holder.insert(target).await?;
    holder.commit(target).await
}

//! `lock-optional`: the lock is optional for old callers, and every second caller is one.
//!
//! Failure mode F63: one caller books with the lock, one without, and the lock keeps apart only those who take it. What
//! protects the slot must stand at the write, which no caller can go around. The first caller is a new one.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "lock-optional",
    summary: "as lock-and-book, but every second caller does not take the lock",
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
    tokenless: Some("its old callers book without a lock"),
    control: None,
    flow: &LockOptional,
};

#[derive(Debug)]
struct LockOptional;

impl Flow for LockOptional {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            if target.attempt.0.is_multiple_of(2) {
                return write(holder, target, None).await.unwrap_or_else(|ended| ended);
            }
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let result = write(holder, target, Some(&lease)).await.unwrap_or_else(|ended| ended);
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

/// From the transaction's begin to its end; either arm is what came of the attempt.
async fn write(
    holder: &mut Holder,
    target: Target,
    lease: Option<&Lease>,
) -> Result<AttemptResult, AttemptResult> {
    holder.begin(target, lease).await?;
    holder.check(target).await?;
    holder.work(target).await;
    holder.insert(target).await?;
    holder.commit(target).await
}

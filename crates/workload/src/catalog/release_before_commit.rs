//! `release-before-commit` (control): the lock is given back inside the transaction that it is to protect.
//!
//! Failure mode F13: a method that is transactional takes the lock, writes, and gives the lock back in its `finally`; the
//! commit happens when the method has returned. Whoever gets the lock in between reads the state before the write.
//!
//! ```text
//!   A  acquire, begin, check, insert, release ········ commit
//!   B                                  acquire, begin, check: free …   sold twice
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "release-before-commit",
    summary: "lock the slot, check, work, insert, release, and only then commit",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Release,
        Step::Commit,
    ],
    fields: &[],
    tokenless: None,
    control: Some("the next holder reads before the one before has committed (F13)"),
    flow: &ReleaseBeforeCommit,
};

#[derive(Debug)]
struct ReleaseBeforeCommit;

impl Flow for ReleaseBeforeCommit {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let written = write(holder, target, &lease).await;
            holder.release(target, lease).await;
            match written {
                Ok(()) => holder.commit(target).await.unwrap_or_else(|ended| ended),
                Err(ended) => ended,
            }
        }
        .boxed()
    }
}

/// Everything under the lock.
async fn write(holder: &mut Holder, target: Target, lease: &Lease) -> Result<(), AttemptResult> {
    holder.begin(target, lease).await?;
    holder.check(target).await?;
    holder.work(target).await;
    holder.insert(target).await
}

//! `lock-and-book`: what most booking back ends do.
//!
//! Take the slot's lock, look whether the slot is free, do what the application does in between, write, commit, give
//! the lock back. Nothing between the check and the write asks whether the lease still stands; that is the flow's
//! point, since hardly any application asks either.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "lock-and-book",
    summary: "lock the slot, check, work, insert, commit, release",
    steps: STEPS,
    fields: &[],
    tokenless: None,
    control: None,
    flow: &LockAndBook,
};

/// All that there are.
pub(super) const STEPS: &[Step] = &[
    Step::Acquire,
    Step::Begin,
    Step::Check,
    Step::Work,
    Step::Insert,
    Step::Commit,
    Step::Release,
];

#[derive(Debug)]
struct LockAndBook;

impl Flow for LockAndBook {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let result = write(holder, target, &lease).await;
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

/// Everything under the lock, as often as the guard asks for it.
pub(super) async fn write(holder: &mut Holder, target: Target, lease: &Lease) -> AttemptResult {
    let mut tried = 0;
    loop {
        let ended = write_once(holder, target, lease).await.unwrap_or_else(|ended| ended);
        tried += 1;
        if !holder.tries_again(tried, &ended).await {
            return ended;
        }
    }
}

/// One transaction; either arm is what came of the attempt.
async fn write_once(
    holder: &mut Holder,
    target: Target,
    lease: &Lease,
) -> Result<AttemptResult, AttemptResult> {
    holder.begin(target, lease).await?;
    holder.check(target).await?;
    holder.work(target).await;
    holder.insert(target).await?;
    holder.commit(target).await
}

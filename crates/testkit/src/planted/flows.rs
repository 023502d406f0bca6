//! Flows with a bug.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};
use lockproof_workload::{Flow, FlowEntry, Holder, Target};

/// Books again when nobody knows whether its commit happened, without a key by which the first one would be found
/// (failure mode F53).
pub static RETRIES_UNKNOWN_COMMIT: FlowEntry = FlowEntry {
    name: "retries-unknown-commit",
    summary: "a planted bug",
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
    control: Some("it books again when nobody knows"),
    flow: &RetriesUnknownCommit,
};

#[derive(Debug)]
struct RetriesUnknownCommit;

impl Flow for RetriesUnknownCommit {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let mut result = write(holder, target, &lease).await;
            if let AttemptResult::Unknown { .. } = result {
                result = write(holder, target, &lease).await;
            }
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

async fn write(holder: &mut Holder, target: Target, lease: &Lease) -> AttemptResult {
    let booked = async {
        holder.begin(target, lease).await?;
        holder.check(target).await?;
        holder.work(target).await;
        holder.insert(target).await?;
        holder.commit(target).await
    };
    booked.await.unwrap_or_else(|ended| ended)
}

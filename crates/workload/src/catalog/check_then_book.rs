//! `check-then-book`: availability is asked for first, and booked when the talk is over.
//!
//! Failure mode F61: a voice agent checks, talks for ten seconds, and books what it had seen. Nothing is reserved in
//! between; the lock, where there is one, covers the write alone.
//!
//! ```text
//!   A  begin, check: free ── think ··············· acquire, begin, insert, commit, release
//!   B         begin, check: free ── think ···················· acquire, begin, insert …   sold twice
//! ```
//!
//! The transaction of the check ends with its answer, since nobody keeps one open for a conversation; so do the row locks
//! that were taken in it. A guard whose insert holds what it writes against what the check saw (unique, version) still
//! refuses the second one. To reserve at the check instead is `reserve-then-confirm`.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "check-then-book",
    summary: "check, let the customer think, lock, book what was seen, release: nothing is reserved in between",
    steps: &[
        Step::Begin,
        Step::Check,
        Step::Think,
        Step::Acquire,
        Step::Begin,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[FlowField::Think],
    tokenless: Some("its check comes before its lock"),
    control: None,
    flow: &CheckThenBook,
};

#[derive(Debug)]
struct CheckThenBook;

impl Flow for CheckThenBook {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            if let Err(ended) = look(holder, target).await {
                return ended;
            }
            holder.think(target, holder.settings.think).await;
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let result = write(holder, target).await.unwrap_or_else(|ended| ended);
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

/// The question whether the slot is free, in a transaction of its own.
async fn look(holder: &mut Holder, target: Target) -> Result<(), AttemptResult> {
    holder.begin(target, None).await?;
    holder.check(target).await?;
    holder.set_aside().await
}

/// Everything under the lock; either arm is what came of the attempt.
async fn write(holder: &mut Holder, target: Target) -> Result<AttemptResult, AttemptResult> {
    holder.take_up(target).await?;
    holder.insert(target).await?;
    holder.commit(target).await
}

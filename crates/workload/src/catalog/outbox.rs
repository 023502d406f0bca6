//! `outbox`: the customer is told by a relay that reads what was committed.
//!
//! The entry in the outbox is written by the transaction that writes the booking, so that the one stands exactly when the
//! other does. Here the booking's own row is the entry. Its holder relays it once the commit is acknowledged; where that
//! is unknown, or the holder has died, the row is there for another relay to find, so that a customer may be told late and
//! never of a booking that does not stand.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry};
use crate::holder::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "outbox",
    summary: "as lock-and-book, and the customer is told of what was committed",
    steps: &[
        Step::Acquire,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Commit,
        Step::Notify,
        Step::Release,
    ],
    fields: &[],
    tokenless: None,
    control: None,
    flow: &Outbox,
};

#[derive(Debug)]
struct Outbox;

impl Flow for Outbox {
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
    holder.insert(target).await?;
    let booked = holder.commit(target).await?;
    holder.notify(target).await;
    Ok(booked)
}

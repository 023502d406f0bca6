//! `lock-and-book`, and once more where nobody knows what became of the commit.
//!
//! What an application does that takes an error of COMMIT for a no, or that is told to repeat whatever failed. The commit
//! may have happened (failure mode F53): then the customer has two bookings, unless the guard knows the request again
//! (`idempotency-key`) or the slot has no room for a second one.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::AttemptResult;

use super::lock_and_book::{STEPS, write};
use super::{Flow, FlowEntry};
use crate::{Holder, Target};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "retry-unknown",
    summary: "lock-and-book, and once more under the same lock where the commit's outcome is unknown",
    steps: STEPS,
    fields: &[],
    tokenless: None,
    control: None,
    flow: &RetryUnknown,
};

#[derive(Debug)]
struct RetryUnknown;

impl Flow for RetryUnknown {
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult> {
        async move {
            let lease = match holder.acquire(target).await {
                Ok(lease) => lease,
                Err(result) => return result,
            };
            let mut result = write(holder, target, &lease).await;
            if let AttemptResult::Unknown { .. } = result {
                let again = write(holder, target, &lease).await;
                // What refuses the second try says nothing of the first.
                if let AttemptResult::Booked { .. } = again {
                    result = again;
                }
            }
            holder.release(target, lease).await;
            result
        }
        .boxed()
    }
}

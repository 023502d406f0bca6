//! `reserve-then-confirm`: an appointment is locked when the customer picks it, and booked when they confirm.
//!
//! While the customer thinks, the lease is renewed every so often. At the end the application *verifies* that the lease
//! still stands, at the lock's backend, and then books, in another system:
//!
//! ```text
//!   acquire ─ think ─ renew ─ think ─ verify: it stands ─┬─ begin, check, insert, commit
//!                                                        └─ here the lease may end, and nobody asks again (F59)
//! ```
//!
//! The gap is the flow's point. A verify answers for the moment at which it was asked; only a guard in the booking's own
//! transaction answers for the write.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Lease, Step};

use super::{Flow, FlowEntry, FlowField};
use crate::holder::{Holder, Target};
use crate::renewing::{self, Heeds};

pub(super) const ENTRY: FlowEntry = FlowEntry {
    name: "reserve-then-confirm",
    summary: "lock at selection, renew while the customer thinks, verify the lease, then check and book",
    steps: &[
        Step::Acquire,
        Step::Think,
        Step::Renew,
        Step::Verify,
        Step::Begin,
        Step::Check,
        Step::Work,
        Step::Insert,
        Step::Commit,
        Step::Release,
    ],
    fields: &[FlowField::Think, FlowField::Refresh],
    tokenless: None,
    control: None,
    flow: &ReserveThenConfirm,
};

#[derive(Debug)]
struct ReserveThenConfirm;

impl Flow for ReserveThenConfirm {
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
    renewing::spend(holder, target, lease, Step::Think, Heeds::News).await?;
    holder.verify(target, lease).await?;
    holder.begin(target, &*lease).await?;
    holder.check(target).await?;
    holder.work(target).await;
    holder.insert(target).await?;
    holder.commit(target).await
}

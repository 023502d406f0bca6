//! Time that is longer than a lease: spent in slices, with a renewal after each but the last.
//!
//! ```text
//!   think ── renew ── think ── renew ── think        refresh = a third of the TTL, unless it is told
//! ```
//!
//! The holder renews in between, not in the background: it has one operation in flight, each renewal is an operation of
//! the history, at which a fault may fire, and whoever judges a hold knows exactly until when it was trusted.

use lockproof_model::{AttemptResult, Lease, Step};

use crate::holder::{Holder, Target};

/// What a holder makes of the news that its lease has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heeds {
    /// It stops.
    News,
    /// It goes on (failure mode F42).
    Nothing,
}

/// Spends the time of `step`, which is [`Think`](Step::Think) or [`Work`](Step::Work), and renews `lease`.
///
/// # Errors
/// What the attempt came to: the lease has ended.
pub(crate) async fn spend(
    holder: &mut Holder,
    target: Target,
    lease: &mut Lease,
    step: Step,
    heeds: Heeds,
) -> Result<(), AttemptResult> {
    let settings = holder.settings;
    let mut left = if step == Step::Think { settings.think } else { settings.work };
    // What nothing bounds needs no renewal.
    let every = lease.ttl.map_or(left, |ttl| settings.refresh.unwrap_or(ttl / 3));
    loop {
        let slice = if every.is_zero() { left } else { left.min(every) };
        holder.spend(target, step, slice).await;
        left -= slice;
        if left.is_zero() {
            return Ok(());
        }
        match (holder.renew(target, lease).await, heeds) {
            (Err(ended), Heeds::News) => return Err(ended),
            (Ok(()), _) | (Err(_), Heeds::Nothing) => {}
        }
    }
}

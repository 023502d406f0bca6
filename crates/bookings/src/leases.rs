//! Locks that are rows of a store's database.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{Claim, FencingToken, Instant, LeaseChange};

use crate::Result;

/// One holder's own connection to the table of leases, which no booking uses.
///
/// A lease is stored as the millisecond in which it ends, and has ended once the clock says *more*: whatever a clock cuts
/// off, it lasts no shorter than its TTL.
///
/// # Cancel safety
/// A statement whose future is dropped may be executed all the same, before anything that is sent by this connection
/// after it.
pub trait LeaseTable: Debug + Send {
    /// Changes the lease of `claim`, and answers with its token; `None` where it was not to be changed. The database's
    /// clock says whether it has ended, or `now` where there is one.
    ///
    /// # Errors
    /// The database, or the way to it, failed; definite only where the statement certainly had no effect.
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>>;
}

/// Whole milliseconds of a holder's own clock, for a column of 64 bits with a sign.
pub(crate) fn millis(now: Instant) -> i64 {
    i64::try_from(now.as_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// What a renewal or a grant lasts, and `None` for an end.
pub(crate) fn ttl_millis(change: LeaseChange) -> Option<i64> {
    match change {
        LeaseChange::Take { ttl } | LeaseChange::Renew { ttl } => {
            Some(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
        }
        LeaseChange::End => None,
    }
}

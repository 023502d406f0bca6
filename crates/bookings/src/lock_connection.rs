//! Locks that live in a store's database: rows with an end, and locks of a session.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{FencingToken, Instant, LeaseChange, OwnerValue};

use crate::Result;

/// One session of a holder for locks alone, beside the one of its bookings: what it holds ends with it. It never dials
/// again, so that nobody takes a new session for the one that had the locks.
///
/// A lease is stored as the millisecond in which it ends, and has ended once the clock says *more*: whatever a clock cuts
/// off, it lasts no shorter than its TTL.
///
/// # Cancel safety
/// A statement whose future is dropped may be executed all the same, before anything that is sent by this session after
/// it.
pub trait LockConnection: Debug + Send {
    /// Whether it is known to be lost.
    fn is_closed(&self) -> bool;

    /// Changes the lease called `name` for `owner`, and answers with its token; `None` where it was not to be changed. The
    /// database's clock says whether it has ended, or `now` where there is one.
    ///
    /// # Errors
    /// The database, or the way to it, failed; definite only where the statement certainly had no effect.
    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>>;

    /// Takes the lock called `name` for this session, unless another one has it. A session that has it takes it once
    /// more (`pg_try_advisory_lock`, `GET_LOCK`).
    ///
    /// # Errors
    /// As for a lease. An engine without such locks says so.
    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Gives it back once; whether this session had it (`pg_advisory_unlock`, `RELEASE_LOCK`).
    ///
    /// # Errors
    /// As for a lease.
    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>>;
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

//! The two traits that a way of locking implements.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};

use crate::{Inspect, Result};

/// A way to be alone. One value per configured backend.
pub trait Lock: Debug + Send + Sync + 'static {
    /// What one holder keeps open to it.
    type Session: LockSession;

    /// Opens a session for `holder`.
    ///
    /// # Behavior
    /// - Succeeds while a minority of several servers is down.
    /// - Takes nothing: a session that is opened and dropped leaves no trace at the backend.
    ///
    /// # Errors
    /// The backend cannot be reached. Always definite.
    fn open(&self, holder: HolderId) -> impl Future<Output = Result<Self::Session>> + Send;

    /// How to look at it from outside, where it can be looked at.
    fn inspect(&self) -> Option<&dyn Inspect> {
        None
    }
}

/// What one holder keeps open to a backend. `&mut self` is the concurrency rule: one operation in flight
/// per holder.
///
/// # Cancel safety
/// Dropping the future of any method leaves the session usable. What had been sent may still take effect, so
/// the operation's outcome is unknown; the [`Driver`](crate::Driver) withdraws a claim whose acquire or
/// release was dropped.
pub trait LockSession: Debug + Send + 'static {
    /// Tries once to take `claim.lock` as `claim.owner`; never waits for the current holder.
    ///
    /// # Behavior
    /// - At most one of concurrent claims on one lock is granted.
    /// - A grant ends by itself once `ttl` has passed, where the lock has leases at all.
    /// - On [`Acquired::Held`] nothing of the claim is left at the backend, or what is left is being released behind
    ///   the request that put it there.
    ///
    /// # Errors
    /// No answer, or an error for one. Indefinite unless the request certainly had no effect.
    fn acquire(
        &mut self,
        claim: &Claim,
        ttl: Duration,
    ) -> impl Future<Output = Result<Acquired>> + Send;

    /// Makes `lease` last for `ttl` from now, if it still stands.
    ///
    /// # Behavior
    /// - Never resurrects: a grant that ended, or that somebody else has now, is [`Renewed::Lost`].
    /// - On `Renewed::Extended` the lease's `invoked`, `granted` and `valid_until` are those of the renewal;
    ///   otherwise the lease is unchanged.
    ///
    /// # Errors
    /// As for acquire. After an indefinite error the old validity is all that may be trusted.
    fn renew(
        &mut self,
        lease: &mut Lease,
        ttl: Duration,
    ) -> impl Future<Output = Result<Renewed>> + Send;

    /// Gives the lock back. Consumes the lease: use after release does not compile.
    ///
    /// # Behavior
    /// - Compares the owner value and deletes in one step; another's grant is never touched.
    ///
    /// # Errors
    /// As for acquire.
    fn release(&mut self, lease: Lease) -> impl Future<Output = Result<Released>> + Send;

    /// Undoes an acquire whose answer is unknown; harmless when it never happened.
    ///
    /// # Errors
    /// The backend could not be asked, so the claim may stand until its TTL ends.
    fn withdraw(&mut self, claim: &Claim) -> impl Future<Output = Result<()>> + Send;
}

/// The answer to an acquire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The lock is the claim's.
    Granted(Lease),
    /// Somebody else has it.
    Held,
}

/// The answer to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The lease lasts longer now.
    Extended,
    /// The lease had ended.
    Lost,
}

/// The answer to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The lock was the holder's own until now.
    Owned,
    /// The lease had ended before.
    Lost,
}

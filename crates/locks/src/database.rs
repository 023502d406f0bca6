//! A database as what a lock runs on, and the session that a holder has there.

use std::fmt;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::{FencingToken, HolderId, Instant, LeaseChange, OwnerValue};

use crate::{Backends, LockError, Result};

/// What a lock uses of the database that keeps the bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDatabase {
    /// A table of leases.
    Leases,
    /// Advisory locks of `PostgreSQL`, of a session each.
    AdvisoryLocks,
    /// Named locks of `MySQL` and MariaDB, of a session each.
    NamedLocks,
}

impl InDatabase {
    /// Whether a grant ends by itself. That of a session lasts as long as the session.
    #[must_use]
    pub const fn ends_by_itself(self) -> bool {
        matches!(self, Self::Leases)
    }

    /// Why `engine` does not have it, where it does not. The model has all of them: what a session of its holds by number
    /// it would hold by name.
    #[must_use]
    pub fn refuses(self, engine: &str) -> Option<&'static str> {
        match (self, engine) {
            (Self::AdvisoryLocks, "sqlite") | (Self::NamedLocks, "sqlite") => {
                Some("a file has no sessions that could hold a lock")
            }
            (Self::AdvisoryLocks, "mariadb") => {
                Some("it has no advisory locks; mysql-get-lock has")
            }
            (Self::NamedLocks, "postgres") => {
                Some("it has no GET_LOCK; pg-advisory-session is what it has")
            }
            _ => None,
        }
    }
}

impl fmt::Display for InDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leases => "the database",
            Self::AdvisoryLocks => "postgres",
            Self::NamedLocks => "mariadb",
        })
    }
}

/// A holder's session at the database, for locks alone. What a session holds ends with it, so it never dials again.
///
/// # Cancel safety
/// What was asked may be done all the same when the future is dropped, before anything that is asked by this session
/// after it.
pub trait DatabaseSession: Debug + Send {
    /// Whether it is known to be lost.
    fn is_closed(&self) -> bool;

    /// Makes a change to the lease called `name` in one statement, and answers with its token; `None` where the lease did
    /// not allow it. Whether it has ended is judged by the database's clock, or by `now` where there is one.
    ///
    /// # Errors
    /// No answer, or an error for one. Indefinite unless the change was certainly not made.
    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>>;

    /// Takes the lock called `name` for this session, unless another one has it; once more where this one has.
    ///
    /// # Errors
    /// As for a lease.
    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Gives it back once; whether this session had it.
    ///
    /// # Errors
    /// As for a lease.
    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>>;
}

/// Opens a session of `holder`, within `limit`.
pub(crate) async fn open_session(
    backends: &Arc<dyn Backends>,
    env: &Env,
    limit: Duration,
    holder: HolderId,
) -> Result<Box<dyn DatabaseSession>> {
    let opening = env.timeout(limit, backends.database(holder)).await;
    opening
        .map_err(|elapsed| LockError::definite("could not reach the database").because(elapsed))?
}

/// The answer to what was asked of a session, unless it takes longer than `limit`.
pub(crate) async fn answer<T>(
    env: &Env,
    limit: Duration,
    asked: BoxFuture<'_, Result<T>>,
) -> Result<T> {
    let answered = env.timeout(limit, asked).await;
    answered
        .map_err(|elapsed| LockError::indefinite("no answer from the database").because(elapsed))?
}

//! `advisory-xact`: an advisory lock inside the booking's transaction.
//!
//! The check takes the slot's advisory lock (`pg_advisory_xact_lock`), then counts; the lock ends with the transaction.
//! Promises at most `capacity` confirmed bookings of a slot, for any capacity, as long as everybody who books takes the
//! same lock first: checks of one slot happen one after the other, each counting after the one before has committed or
//! rolled back. It needs no row that could be locked, which is what it is for (failure mode F44).
//!
//! Lock and data end together: a lost session takes its lock along, and its write with it. A lock of *session* scope
//! outlives the transaction instead, and a holder whose session is gone may write by another one (F49).
//!
//! ```text
//!   A  lock, 0 of 1 ──────────── insert, commit
//!   B        lock … waits ····················· 1 of 1: taken
//! ```
//!
//! The count must be a statement of its own after the lock, as for `row-lock`. Weakened to a key of 32 bits, slots
//! would share a lock: safe, and each waits for a stranger (F48).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Entry, Unsupported};
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "advisory-xact",
    summary: "pg_advisory_xact_lock of the slot at the check, held to the end of the transaction",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[
        Unsupported {
            engine: "sqlite",
            reason: "it has no advisory locks; what would stand in for one is what row-lock does there",
        },
        Unsupported {
            engine: "mariadb",
            reason: "GET_LOCK is the session's and outlives the transaction; there is none that ends with it",
        },
    ],
    control: None,
    guard: &Advisory,
};

#[derive(Debug)]
struct Advisory;

impl Guard for Advisory {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            db.lock_advisory(request.slot).await?;
            look(db, request, RowLock::None).await
        }
        .boxed()
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        write(db, request, seen)
    }
}

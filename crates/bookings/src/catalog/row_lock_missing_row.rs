//! `row-lock-missing-row`: a control. `SELECT … FOR UPDATE` of the bookings, of which there are none yet.
//!
//! A row lock is a lock on a row. Two that look for the bookings of a free slot both find none, lock nothing, and both
//! insert (failure mode F44). What it does lock are the bookings that are there, so it looks as if it worked wherever it
//! is tried on a slot that has one; and who has waited for such a row counts what its statement saw when it began.
//!
//! ```text
//!   A  lock the bookings: 0 rows ─────────── insert, commit
//!   B         lock the bookings: 0 rows ─────────────── insert, commit      sold twice
//! ```
//!
//! `row-lock` locks the slot's row, which is always there. `MySQL` at REPEATABLE READ would lock the gap, and end one of
//! the two as a deadlock.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Entry, Unsupported};
use crate::guard::write;
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "row-lock-missing-row",
    summary: "SELECT … FOR UPDATE of the slot's bookings, which are not there yet",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[Unsupported {
        engine: "sqlite",
        reason: "it locks the whole database or nothing, so no row has to be there",
    }],
    control: Some("a row that is not there cannot be locked (F44)"),
    guard: &RowLockMissingRow,
};

#[derive(Debug)]
struct RowLockMissingRow;

impl Guard for RowLockMissingRow {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            let slot = db.read_slot(request.slot, RowLock::None).await?;
            let confirmed = db.lock_confirmed(request.slot, request.span).await?;
            Ok(Checked::of(slot, confirmed))
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

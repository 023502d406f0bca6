//! `row-lock`: pessimistic locking inside the database.
//!
//! The check locks the slot's row, counts, and the lock is held to the commit. Promises at most `capacity`
//! confirmed bookings of a slot, for any capacity: checks of one slot happen one after the other, each
//! counting after the one before has committed or rolled back. The row always exists, so there is no
//! phantom to slip past the lock (failure mode F44: `FOR UPDATE` on bookings that are not there yet locks
//! nothing). A holder that pauses here makes the others wait, not fail.
//!
//! The count must be a statement of its own after the lock: in one statement with it, READ COMMITTED may
//! count as of the moment when the wait began.
//!
//! ```text
//!   A  lock, 0 of 1 ──────────── insert, commit
//!   B        lock … waits ····················· 1 of 1: taken
//! ```
//!
//! Weakened to a plain read this is `none`. `SQLite` has no row locks: the whole database is locked at
//! `begin` (`BEGIN IMMEDIATE`), so bookings of different slots wait for each other as well.

use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{
    Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen,
    TransactionMode,
};

pub(super) const ENTRY: Entry = Entry {
    name: "row-lock",
    summary: "SELECT … FOR UPDATE of the slot's row at the check, held to the commit",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &RowLocked,
};

#[derive(Debug)]
struct RowLocked;

impl Guard for RowLocked {
    fn begin<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        _request: &'a Request,
    ) -> BoxFuture<'a, Result<()>> {
        db.begin(TransactionMode::RowLocking)
    }

    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        look(db, request, RowLock::ForUpdate)
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

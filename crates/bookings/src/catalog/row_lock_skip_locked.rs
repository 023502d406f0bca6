//! `row-lock-skip-locked`: as `row-lock`, and a row that somebody else has is passed over.
//!
//! The check asks for the slot's row with `FOR UPDATE SKIP LOCKED`. Promises what `row-lock` does: who counts has the row,
//! and keeps it to the commit. Made for queues, where any row will do; a booking is after one slot, so a row that is
//! passed over is a refusal. Unlike NOWAIT it is no error: no row is the answer, and the transaction goes on.
//!
//! ```text
//!   A  lock, 0 of 1 ──────────── insert, commit
//!   B        no row: refused
//! ```
//!
//! Weakened by taking "no row" for "no booking", it would sell what the other is about to sell.

use futures_util::future::BoxFuture;

use super::row_lock_nowait::look_if_free;
use super::{Entry, Unsupported};
use crate::guard::write;
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, Seen, TryLock};

pub(super) const ENTRY: Entry = Entry {
    name: "row-lock-skip-locked",
    summary: "SELECT … FOR UPDATE SKIP LOCKED at the check: no row is a refusal",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[Unsupported {
        engine: "sqlite",
        reason: "it locks the whole database or nothing, so there are no rows to skip",
    }],
    control: None,
    guard: &RowLockedSkipping,
};

#[derive(Debug)]
struct RowLockedSkipping;

impl Guard for RowLockedSkipping {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        look_if_free(db, request, TryLock::SkipLocked)
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

//! `row-lock-nowait`: as `row-lock`, and refused where somebody else has the row.
//!
//! The check asks for the slot's row with `FOR UPDATE NOWAIT`. Promises what `row-lock` does: who counts has the row, and
//! keeps it to the commit. Who would have to wait is told so at once instead, which costs a customer who might have had
//! the slot and keeps the rest from queueing behind a holder that is paused.
//!
//! ```text
//!   A  lock, 0 of 1 ──────────── insert, commit
//!   B        lock: locked, refused
//! ```
//!
//! The refusal is an error by which the transaction is over (55P03); a program that goes on with it as if it had the
//! row would find every statement failing.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Refusal;

use super::{Entry, Unsupported};
use crate::guard::write;
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, Seen, TryLock};

pub(super) const ENTRY: Entry = Entry {
    name: "row-lock-nowait",
    summary: "SELECT … FOR UPDATE NOWAIT at the check: refused where somebody has the row",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[Unsupported {
        engine: "sqlite",
        reason: "it locks the whole database or nothing, so bookings of every other slot would be refused",
    }],
    control: None,
    guard: &RowLockedNoWait,
};

#[derive(Debug)]
struct RowLockedNoWait;

impl Guard for RowLockedNoWait {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        look_if_free(db, request, TryLock::NoWait)
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

/// Locks the slot's row and counts, or refuses where somebody else has it.
pub(super) fn look_if_free<'a>(
    db: &'a mut dyn Connection,
    request: &'a Request,
    how: TryLock,
) -> BoxFuture<'a, Result<Checked>> {
    async move {
        let Some(slot) = db.try_lock_slot(request.slot, how).await? else {
            return Ok(Checked::Refused(Refusal::Locked));
        };
        let confirmed = db.count_confirmed(request.slot, request.span).await?;
        Ok(Checked::of(slot, confirmed))
    }
    .boxed()
}

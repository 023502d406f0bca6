//! `version`: optimistic locking, with the row count checked.
//!
//! The check reads the slot's version and counts, never the count first; the insert raises the version if it is still the one
//! that was read, and writes in the same transaction. Promises at most `capacity` confirmed bookings of a
//! slot: each booking raises the version, so between a check and the insert that relies on it no other
//! booking of the slot was committed, and the count still holds, for any capacity. Concurrent raises
//! queue at the slot's row; the second finds the version moved. Versions only rise, so none comes back
//! (no ABA).
//!
//! Prevents the write that was decided on an old read. Weakened in two classic ways it would fail:
//!
//! ```text
//!   row count ignored:    A check v0 ── B check v0 ── A bump, insert, commit ── B bump: 0 rows, insert
//!   counted before read:  A count 0 ── B bump to v1, insert, commit ── A read v1 ── A bump v1: passes
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Refusal;

use super::Entry;
use crate::guard::{look, write};
use crate::{
    Bumped, Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen,
};

pub(super) const ENTRY: Entry = Entry {
    name: "version",
    summary: "the slot's version, read at the check, must not have moved at the insert",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &Version,
};

#[derive(Debug)]
struct Version;

impl Guard for Version {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        look(db, request, RowLock::None)
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        async move {
            match db.bump_version(request.slot, seen.version).await? {
                Bumped::Bumped => write(db, request, seen).await,
                Bumped::Stale => Ok(Inserted::Refused(Refusal::Stale)),
            }
        }
        .boxed()
    }
}

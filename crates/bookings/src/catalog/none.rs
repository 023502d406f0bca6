//! `none`: what an application without a guard does.
//!
//! The check reads, the insert writes, and nothing ties them: READ COMMITTED prevents neither the write
//! that was decided on an old read nor the phantom row. It promises nothing. Two attempts that both
//! check before either commits both find room:
//!
//! ```text
//!   A  check: 0 of 1 ─────────── insert, commit
//!   B         check: 0 of 1 ─────────────── insert, commit      sold twice
//! ```
//!
//! Sound only while a lock keeps every other holder out from the check to the commit, which is what a
//! run with this guard puts to the test.

use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "none",
    summary: "the check reads, the insert writes, nothing ties them",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &Unguarded,
};

#[derive(Debug)]
struct Unguarded;

impl Guard for Unguarded {
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
        write(db, request, seen)
    }
}

//! `version-unchecked`: a control. `version` as it is written by those who do not look at the row count of their UPDATE.
//!
//! The UPDATE changes no row when the version has moved, which is no error, and the booking is written all the same
//! (failure mode F55):
//!
//! ```text
//!   A  check v0: 0 of 1 ─── bump to v1, insert, commit
//!   B  check v0: 0 of 1 ─────────────────────────────── bump: 0 rows, insert, commit
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "version-unchecked",
    summary: "the version is raised at the insert, and nobody looks whether it was",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: Some("the row count of the UPDATE is ignored (F55)"),
    guard: &VersionUnchecked,
};

#[derive(Debug)]
struct VersionUnchecked;

impl Guard for VersionUnchecked {
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
            db.bump_version(request.slot, seen.version).await?;
            write(db, request, seen).await
        }
        .boxed()
    }
}

//! Guards with a bug.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::catalog::Entry;
use lockproof_bookings::guard::{look, write};
use lockproof_bookings::{
    Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen,
};

/// `version` as it is written by those who do not look at the row count of their UPDATE (failure mode F47).
pub static BLIND_VERSION: Entry = Entry {
    name: "blind-version",
    summary: "raises the version and does not look whether it did",
    needs_token: false,
    constraints: Constraints::NONE,
    control: Some("the row count of the UPDATE is ignored"),
    guard: &BlindVersion,
};

#[derive(Debug)]
struct BlindVersion;

impl Guard for BlindVersion {
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

//! `exclude`: the database refuses to sell two overlapping spans of a slot.
//!
//! Promises that no two confirmed bookings of a slot overlap, whatever the check saw and however late the insert comes.
//! Where nobody divides the slot every booking is all of it, and this is uniqueness of the slot. It cannot count, so a
//! capacity above 1 is refused before a run.
//!
//! On Postgres it is `EXCLUDE USING gist` over the slot and the span. Two that write at one time both have their row in
//! the index before either looks for the other's; the second waits for the first, and where both wait the database ends
//! one of them (40P01): refused as aborted, which is a false alarm of the safe kind. The same happens to those who had
//! waited for a third that is undone. On `SQLite` it is a trigger that raises; writers take turns there, so what the
//! trigger sees is all that there is.
//!
//! Weakened to uniqueness of what is equal (`unique`), it would sell both of two spans that overlap (failure mode F45):
//!
//! ```text
//!   A  check [10,12): 0 of 1 ─── insert, commit
//!   B  check [11,13): 0 of 1 ─────────────────── insert: equal to nothing, commit
//! ```

use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "exclude",
    summary: "no two confirmed bookings of a slot overlap; a collision is answered as taken",
    needs_token: false,
    constraints: Constraints::EXCLUDE_OVERLAP,
    sells_once: Some("a constraint on overlaps cannot count"),
    unsupported: &[],
    control: None,
    guard: &Exclude,
};

#[derive(Debug)]
struct Exclude;

impl Guard for Exclude {
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

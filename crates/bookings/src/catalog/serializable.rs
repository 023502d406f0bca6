//! `serializable`: the database finds out that two bookings do not go together.
//!
//! All of the booking is one SERIALIZABLE transaction, and nothing else ties check and insert. Promises at most
//! `capacity` confirmed bookings of a slot, for any capacity: what is committed is what some order of the transactions,
//! one after the other, would have made, and in each of those the last to come counts all the others. It holds as long as
//! *every* transaction that books is SERIALIZABLE.
//!
//! Prevents write skew: two that both count 0 of 1 and both insert. Postgres notes who has read what (serializable
//! snapshot isolation) and ends one of them, at its insert or only at its commit, which is therefore a refusal that has
//! to be expected of COMMIT. `SQLite` reads one snapshot and does not let a transaction write once that is old.
//!
//! ```text
//!   A  check: 0 of 1 ─────────── insert, commit
//!   B         check: 0 of 1 ─────────────── insert: 40001 ─── again from begin: 1 of 1, taken
//! ```
//!
//! A serialization failure says nothing of the slot, so the attempt is made again from its begin: [`TRIES`] times in all,
//! with a pause between that doubles and is drawn at random (`workload`), else those who collided would collide again.
//! After the last it is refused as aborted. Weakened to REPEATABLE READ this sells twice.

use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{
    Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen,
    TransactionMode,
};

/// How often a booking is tried in all. Under contention that tries cannot settle, more of them make it worse.
const TRIES: u32 = 5;

pub(super) const ENTRY: Entry = Entry {
    name: "serializable",
    summary: "all of the booking is one SERIALIZABLE transaction, tried again when it is aborted",
    needs_token: false,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &Serializable,
};

#[derive(Debug)]
struct Serializable;

impl Guard for Serializable {
    fn tries(&self) -> u32 {
        TRIES
    }

    fn begin<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        _request: &'a Request,
    ) -> BoxFuture<'a, Result<()>> {
        db.begin(TransactionMode::Serializable)
    }

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

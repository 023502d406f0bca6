//! `unique`: the database refuses to sell one unit twice.
//!
//! Promises at most `capacity` confirmed bookings of a slot, whatever the check saw and however late the
//! insert comes: confirmed bookings have distinct units by the unique index on (slot, span, unit), and no unit
//! above the capacity is ever written, since the unit is the count seen plus one and the check refuses a
//! count that has reached the capacity.
//!
//! The write that was decided on an old read collides with the one that overtook it, and the collision
//! is answered as taken. For capacities above 1 that is a false alarm of the safe kind: of two buyers who
//! both saw 0 of 3, the second is refused though two units are left. Units have no holes: a unit is only
//! reached by having counted all those before it, and confirmed bookings are never taken back.
//!
//! It knows of equal spans only: of two that overlap and differ it sells both (failure mode F45). That is what
//! `exclude` is for.
//!
//! Weakened to an index without the bound (the unit drawn from a sequence, say), it would sell unit 2 of 1:
//!
//! ```text
//!   A  check: 0 of 1 ─── insert unit 1, commit
//!   B  check: 0 of 1 ─────────────────────────── insert unit 2: no collision
//! ```

use futures_util::future::BoxFuture;

use super::Entry;
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "unique",
    summary: "unique (slot, span, unit) among confirmed bookings; a collision is answered as taken",
    needs_token: false,
    constraints: Constraints::UNIQUE_UNIT,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &Unique,
};

#[derive(Debug)]
struct Unique;

impl Guard for Unique {
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

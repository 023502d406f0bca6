//! The bookings: rows, and which of them somebody sees.

use lockproof_model::BookingId;

use crate::slots::{NONE, Slot};
use crate::statement::BookingValues;

/// A row. Its place in the table is its key minus one: keys are drawn one by one and never come back, not even when
/// the row is never committed.
#[derive(Debug)]
pub(crate) struct Booking {
    pub(crate) values: BookingValues,
    pub(crate) created: Stamp,
    pub(crate) deleted: Stamp,
    /// By which serializable transactions, or 0.
    pub(crate) creator: u32,
    pub(crate) deleter: u32,
    /// The session that has it FOR UPDATE.
    pub(crate) locker: u32,
    /// Whether the index has it.
    pub(crate) is_indexed: bool,
    /// The next booking of its slot.
    next: u32,
}

/// When something was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Never, or undone.
    Never,
    /// By a session whose transaction is open.
    By(u32),
    /// With this commit.
    At(u64),
}

impl Stamp {
    /// Whether `session` sees it, by a snapshot.
    pub(crate) fn is_seen(self, session: u32, snapshot: u64) -> bool {
        match self {
            Self::Never => false,
            Self::By(other) => other == session,
            Self::At(commit) => commit <= snapshot,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Vec<Booking>,
}

impl Ledger {
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    pub(crate) fn rows(&self) -> &[Booking] {
        &self.rows
    }

    /// The row's place.
    pub(crate) fn find(&self, booking: BookingId) -> Option<u32> {
        let place = u32::try_from(booking.0.checked_sub(1)?).ok()?;
        (index(place) < self.rows.len()).then_some(place)
    }

    /// Writes a row that no index has yet.
    pub(crate) fn push(&mut self, values: BookingValues, session: u32, creator: u32) -> u32 {
        let place = u32::try_from(self.rows.len()).unwrap_or(NONE);
        let (created, deleted) = (Stamp::By(session), Stamp::Never);
        let row = Booking {
            values,
            created,
            deleted,
            creator,
            deleter: 0,
            locker: NONE,
            is_indexed: false,
            next: NONE,
        };
        self.rows.push(row);
        place
    }

    pub(crate) fn at(&self, place: u32) -> &Booking {
        &self.rows[index(place)]
    }

    pub(crate) fn at_mut(&mut self, place: u32) -> &mut Booking {
        &mut self.rows[index(place)]
    }

    /// Adds the row to its slot's list.
    pub(crate) fn link(&mut self, place: u32, slot: &mut Slot) {
        self.at_mut(place).is_indexed = true;
        if slot.last == NONE {
            slot.first = place;
        } else {
            self.at_mut(slot.last).next = place;
        }
        slot.last = place;
    }

    /// Takes the row out of its slot's list.
    pub(crate) fn unlink(&mut self, place: u32, slot: &mut Slot) {
        if !std::mem::take(&mut self.at_mut(place).is_indexed) {
            return;
        }
        let next = std::mem::replace(&mut self.at_mut(place).next, NONE);
        let mut before = NONE;
        let mut here = slot.first;
        while here != place {
            before = here;
            here = self.at(here).next;
        }
        if before == NONE {
            slot.first = next;
        } else {
            self.at_mut(before).next = next;
        }
        if slot.last == place {
            slot.last = before;
        }
    }

    /// The rows of a slot, in the order of the index's additions.
    pub(crate) fn of(&self, slot: &Slot) -> impl Iterator<Item = (u32, &Booking)> {
        let mut place = slot.first;
        std::iter::from_fn(move || {
            let here = self.rows.get(index(place))?;
            let found = (place, here);
            place = here.next;
            Some(found)
        })
    }
}

const fn index(place: u32) -> usize {
    place as usize
}

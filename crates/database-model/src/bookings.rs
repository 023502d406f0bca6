//! Counting, writing and deleting bookings.

use lockproof_model::{BookingId, SlotId};

use crate::answer::{Answer, SqlError};
use crate::database::{Database, Step};
use crate::ledger::Stamp;
use crate::slots::{Slot, shelf};
use crate::statement::{BookingValues, Isolation, SlotLock};
use crate::waits::Wait;

impl Database {
    pub(crate) fn count_confirmed(&mut self, at: u32, slot: SlotId) -> Step {
        if self.transaction(at).isolation == Isolation::Serializable
            && let Err(error) = self.read_bookings(at, slot)
        {
            return Step::Error(error);
        }
        let shelf = shelf(slot, self.slots.len());
        let row = &self.slots[shelf];
        let transaction = self.transaction(at);
        if transaction.snapshot.is_some() || shelf == 0 {
            let horizon = self.horizon(at);
            let rows = self.ledger.of(row).filter(|(_, row)| {
                row.values.slot == slot
                    && row.created.is_seen(at, horizon)
                    && !row.deleted.is_seen(at, horizon)
            });
            return Step::Answer(Answer::Count(u32::try_from(rows.count()).unwrap_or(u32::MAX)));
        }
        // What is committed is counted already; the rest is this transaction's own.
        let of_slot = |places: &[u32]| {
            let own = places.iter().filter(|&&place| self.ledger.at(place).values.slot == slot);
            u32::try_from(own.count()).unwrap_or(u32::MAX)
        };
        let count = row.confirmed + of_slot(&transaction.inserted) - of_slot(&transaction.deleted);
        Step::Answer(Answer::Count(count))
    }

    /// Where there is no row to show the count with, nothing is counted.
    pub(crate) fn read_slot_and_count(&mut self, at: u32, slot: SlotId) -> Step {
        let row = match self.read_slot(at, slot, SlotLock::None) {
            Step::Answer(Answer::Slot(Some(row))) => row,
            Step::Answer(_) => return Step::Answer(Answer::SlotAndCount(None)),
            other => return other,
        };
        match self.count_confirmed(at, slot) {
            Step::Answer(Answer::Count(count)) => {
                Step::Answer(Answer::SlotAndCount(Some((row, count))))
            }
            other => other,
        }
    }

    pub(crate) fn insert(&mut self, at: u32, values: BookingValues) -> Step {
        // The key is drawn before anything can go wrong, and is lost when something does.
        let place = self.ledger.push(values, at, self.writer(at));
        let transaction = self.transaction_mut(at);
        transaction.inserted.push(place);
        let sxact = transaction.sxact;
        if let Err(error) = self.serializable.add_key(sxact, self.layout.predicate_locks) {
            return Step::Error(error);
        }
        self.serializable.find_place();
        self.assign_xid(at);
        self.insert_again(at, values)
    }

    /// Puts the row that was written last into the index.
    pub(crate) fn insert_again(&mut self, at: u32, values: BookingValues) -> Step {
        let shelf = shelf(values.slot, self.slots.len());
        let collision = if self.layout.unique_unit {
            self.collision(at, values, &self.slots[shelf])
        } else {
            None
        };
        if let Some(Collision::Pending(other)) = collision {
            let serial = self.sessions[other as usize].serial;
            return Step::Wait(Wait::Transaction { session: other, serial });
        }
        if let Some(sxact) = self.transaction(at).sxact {
            let index = self.layout.predicate_locks;
            if let Err(error) = self.serializable.add_booking(sxact, values.slot, index) {
                return Step::Error(error);
            }
        }
        if collision == Some(Collision::Committed) {
            return Step::Error(SqlError::UniqueViolation);
        }
        let Some(&place) = self.transaction(at).inserted.last() else {
            return Step::Answer(Answer::Done);
        };
        self.ledger.link(place, &mut self.slots[shelf]);
        Step::Answer(Answer::Inserted(BookingId(i64::from(place) + 1)))
    }

    /// What keeps the key from being added, whatever anybody's snapshot says.
    fn collision(&self, at: u32, values: BookingValues, shelf: &Slot) -> Option<Collision> {
        let mut same = self
            .ledger
            .of(shelf)
            .filter(|(_, row)| row.values.unit == values.unit && row.values.slot == values.slot);
        same.find_map(|(_, row)| match (row.created, row.deleted) {
            (_, Stamp::At(_)) | (Stamp::Never, _) => None,
            (Stamp::By(other), _) | (_, Stamp::By(other)) if other != at => {
                Some(Collision::Pending(other))
            }
            (_, Stamp::By(_)) => None,
            (_, Stamp::Never) => Some(Collision::Committed),
        })
    }

    pub(crate) fn delete(&mut self, at: u32, booking: BookingId) -> Step {
        match self.find_booking(at, booking) {
            Ok(Some(_)) => {
                self.assign_xid(at);
                self.delete_again(at, booking)
            }
            Ok(None) => Step::Answer(Answer::Changed(0)),
            Err(error) => Step::Error(error),
        }
    }

    pub(crate) fn delete_again(&mut self, at: u32, booking: BookingId) -> Step {
        let Some(place) = self.ledger.find(booking) else {
            return Step::Answer(Answer::Changed(0));
        };
        match self.ledger.at(place).deleted {
            Stamp::At(_) if self.transaction(at).snapshot.is_some() => Step::SERIALIZATION_FAILURE,
            Stamp::At(_) => Step::Answer(Answer::Changed(0)),
            Stamp::By(other) => {
                let serial = self.sessions[other as usize].serial;
                Step::Wait(Wait::Transaction { session: other, serial })
            }
            Stamp::Never => {
                if let Err(error) = self.take_from_readers(at, place) {
                    return Step::Error(error);
                }
                let deleter = self.writer(at);
                let row = self.ledger.at_mut(place);
                (row.deleted, row.deleter) = (Stamp::By(at), deleter);
                self.transaction_mut(at).deleted.push(place);
                Step::Answer(Answer::Changed(1))
            }
        }
    }

    /// The row that the transaction sees under this key.
    fn find_booking(&mut self, at: u32, booking: BookingId) -> Result<Option<u32>, SqlError> {
        if let Some(sxact) = self.transaction(at).sxact {
            self.serializable.lock_keys(sxact);
        }
        let Some(place) = self.ledger.find(booking) else { return Ok(None) };
        let is_seen = self.read_booking(at, place)?;
        Ok(is_seen.then_some(place))
    }
}

/// Why a key cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collision {
    /// It is there.
    Committed,
    /// That depends on what becomes of this session's transaction.
    Pending(u32),
}

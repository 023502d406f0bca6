//! Counting, writing and deleting bookings.

use lockproof_model::{BookingId, SlotId, Span};

use crate::answer::{Answer, SqlError};
use crate::database::{Database, Step};
use crate::ledger::Stamp;
use crate::slots::{Slot, shelf};
use crate::statement::{BookingValues, Isolation, SlotLock};
use crate::waits::Wait;

impl Database {
    pub(crate) fn count_confirmed(&mut self, at: u32, slot: SlotId, span: Span) -> Step {
        if self.transaction(at).isolation == Isolation::Serializable
            && let Err(error) = self.read_bookings(at, slot, span)
        {
            return Step::Error(error);
        }
        let shelf = shelf(slot, self.slots.len());
        let row = &self.slots[shelf];
        let transaction = self.transaction(at);
        if transaction.snapshot.is_some() || shelf == 0 || !span.is_whole() {
            let rows = self.overlapping(at, slot, span);
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
    pub(crate) fn read_slot_and_count(&mut self, at: u32, slot: SlotId, span: Span) -> Step {
        let row = match self.read_slot(at, slot, SlotLock::None) {
            Step::Answer(Answer::Slot(Some(row))) => row,
            Step::Answer(_) => return Step::Answer(Answer::SlotAndCount(None)),
            other => return other,
        };
        match self.count_confirmed(at, slot, span) {
            Step::Answer(Answer::Count(count)) => {
                Step::Answer(Answer::SlotAndCount(Some((row, count))))
            }
            other => other,
        }
    }

    /// Places of the bookings that the transaction sees, in the order in which they were written.
    pub(crate) fn overlapping(
        &self,
        at: u32,
        slot: SlotId,
        span: Span,
    ) -> impl Iterator<Item = u32> {
        let horizon = self.horizon(at);
        let rows = self.ledger.of(&self.slots[shelf(slot, self.slots.len())]);
        let seen = rows.filter(move |(_, row)| {
            row.values.slot == slot
                && row.values.span.overlaps(span)
                && row.created.is_seen(at, horizon)
                && !row.deleted.is_seen(at, horizon)
        });
        seen.map(|(place, _)| place)
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
        let place = self.transaction(at).inserted.last().copied();
        if self.layout.exclude_overlap
            && let Some(place) = place
            && !self.ledger.at(place).is_indexed
        {
            // An exclusion constraint is looked at with the row in its index: two that write at one time see each
            // other, and the one that comes second waits (`check_exclusion_or_unique_constraint`).
            self.ledger.link(place, &mut self.slots[shelf]);
        }
        let collision = if self.layout.unique_unit || self.layout.exclude_overlap {
            self.collision(at, values, &self.slots[shelf])
        } else {
            None
        };
        match collision {
            Some(Collision::Pending(other)) => {
                let serial = self.sessions[other as usize].serial;
                return Step::Wait(Wait::Transaction { session: other, serial });
            }
            // Its index comes before the one by which bookings are counted.
            Some(Collision::Committed) if self.layout.exclude_overlap => {
                return Step::Error(SqlError::ExclusionViolation);
            }
            Some(Collision::Committed) | None => {}
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
        let Some(place) = place else { return Step::Answer(Answer::Done) };
        if !self.ledger.at(place).is_indexed {
            self.ledger.link(place, &mut self.slots[shelf]);
        }
        Step::Answer(Answer::Inserted(BookingId(i64::from(place) + 1)))
    }

    /// What keeps the key from being added, whatever anybody's snapshot says.
    fn collision(&self, at: u32, values: BookingValues, shelf: &Slot) -> Option<Collision> {
        let mine = self.transaction(at).inserted.last().copied();
        let collide = |row: &BookingValues| {
            row.slot == values.slot
                && if self.layout.exclude_overlap {
                    row.span.overlaps(values.span)
                } else {
                    row.span == values.span && row.unit == values.unit
                }
        };
        let rows = self.ledger.of(shelf);
        let mut same = rows.filter(|(place, row)| collide(&row.values) && Some(*place) != mine);
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
        let locked = self.locker(at, place);
        match self.ledger.at(place).deleted {
            Stamp::At(_) if self.transaction(at).snapshot.is_some() => Step::SERIALIZATION_FAILURE,
            Stamp::At(_) => Step::Answer(Answer::Changed(0)),
            Stamp::By(other) => {
                let serial = self.sessions[other as usize].serial;
                Step::Wait(Wait::Transaction { session: other, serial })
            }
            Stamp::Never => {
                if let Some(wait) = locked {
                    return Step::Wait(wait);
                }
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

//! What a serializable transaction has read, and the writes that change it.

use lockproof_model::{SlotId, Span};

use super::{Lock, Serializable, SxactId, Target, WHOLE_INDEX};
use crate::answer::SqlError;
use crate::database::Database;
use crate::layout::PredicateLocks;
use crate::ledger::{Booking, Stamp};
use crate::slots::{NONE, shelf};

impl Serializable {
    fn lock(&mut self, id: SxactId, target: Target, part: u64) {
        self.locks += 1;
        let order = self.locks | part;
        if let Some(sxact) = self.get_mut(id)
            && !sxact.locks.iter().any(|lock| lock.target == target)
        {
            sxact.locks.push(Lock { target, order });
        }
    }

    /// Who writes what it has read needs no mark of that.
    fn unlock(&mut self, id: SxactId, target: Target) {
        if let Some(sxact) = self.get_mut(id) {
            sxact.locks.retain(|lock| lock.target != target);
        }
    }

    /// A version of a slot's row was read.
    pub(crate) fn lock_version(&mut self, id: SxactId, row: u32, commit: u64) {
        self.lock(id, Target::Version { row, commit }, 0);
    }

    /// A version is replaced; `None` for one of the transaction's own, which nobody else has read.
    pub(crate) fn replace_version(
        &mut self,
        id: SxactId,
        row: u32,
        replaced: Option<u64>,
    ) -> Result<(), SqlError> {
        let replaced = replaced.map(|commit| Target::Version { row, commit });
        self.conflicts_in(id, |_, target| replaced == Some(target))?;
        if let Some(replaced) = replaced {
            self.unlock(id, replaced);
        }
        Ok(())
    }

    /// A booking was looked for by its key.
    pub(crate) fn lock_keys(&mut self, id: SxactId) {
        self.lock(id, Target::Keys, if self.has_keys { 0 } else { WHOLE_INDEX });
    }

    /// A booking is written, under a new key.
    pub(crate) fn add_key(
        &mut self,
        id: Option<SxactId>,
        index: PredicateLocks,
    ) -> Result<(), SqlError> {
        self.has_keys = true;
        let Some(id) = id else { return Ok(()) };
        let is_page_locked = index == PredicateLocks::OnePage;
        self.conflicts_in(id, |_, target| is_page_locked && target == Target::Keys)
    }

    /// A booking is about to be added to the index on slots.
    pub(crate) fn find_place(&mut self) {
        self.has_bookings = true;
    }

    /// A booking is added to the index on slots.
    pub(crate) fn add_booking(
        &mut self,
        id: SxactId,
        slot: SlotId,
        index: PredicateLocks,
    ) -> Result<(), SqlError> {
        let exact = (index == PredicateLocks::Exact).then_some(slot.0);
        self.conflicts_in(id, |_, target| match target {
            Target::Bookings { slot } => exact.is_none_or(|exact| exact == slot),
            Target::Version { .. } | Target::Keys | Target::Booking { .. } => false,
        })
    }

    fn lock_bookings(&mut self, id: SxactId, slot: u32) {
        self.lock(id, Target::Bookings { slot }, if self.has_bookings { 0 } else { WHOLE_INDEX });
    }
}

impl Database {
    /// Reads the bookings of a slot that overlap `span` for a serializable transaction.
    pub(crate) fn read_bookings(
        &mut self,
        at: u32,
        slot: SlotId,
        span: Span,
    ) -> Result<(), SqlError> {
        let Some(sxact) = self.transaction(at).sxact else { return Ok(()) };
        self.serializable.lock_bookings(sxact, slot.0);
        let shelf = &self.slots[shelf(slot, self.slots.len())];
        // What the index's columns rule out is not looked at.
        let of_slot = self
            .ledger
            .of(shelf)
            .filter(|(_, row)| row.values.slot == slot && row.values.span.overlaps(span));
        let mut places: Vec<_> =
            of_slot.map(|(place, row)| ((row.values.span, row.values.unit), place)).collect();
        // As the index has them.
        places.sort_unstable();
        for (_, place) in places {
            self.check_booking(at, sxact, place)?;
        }
        Ok(())
    }

    /// Reads a booking by its key; whether it is seen.
    pub(crate) fn read_booking(&mut self, at: u32, place: u32) -> Result<bool, SqlError> {
        let horizon = self.horizon(at);
        let row = self.ledger.at(place);
        let is_seen = row.created.is_seen(at, horizon) && !row.deleted.is_seen(at, horizon);
        let is_own = row.created == Stamp::By(at);
        if let Some(sxact) = self.transaction(at).sxact {
            self.check_booking(at, sxact, place)?;
            if is_seen && !is_own {
                self.serializable.lock(sxact, Target::Booking { place }, 0);
            }
        }
        Ok(is_seen)
    }

    /// Notes whose change of the row the transaction does not see.
    fn check_booking(&mut self, at: u32, sxact: SxactId, place: u32) -> Result<(), SqlError> {
        self.serializable.may_read(sxact)?;
        let horizon = self.horizon(at);
        let Booking { created, deleted, creator, deleter, .. } = *self.ledger.at(place);
        let unseen = if created == Stamp::Never {
            0
        } else if !created.is_seen(at, horizon) {
            creator
        } else if deleted != Stamp::Never && !deleted.is_seen(at, horizon) {
            deleter
        } else {
            0
        };
        self.serializable.conflict_out(sxact, unseen)
    }

    /// Deletes a booking under the eyes of those who have read it.
    pub(crate) fn take_from_readers(&mut self, at: u32, place: u32) -> Result<(), SqlError> {
        let Some(sxact) = self.transaction(at).sxact else { return Ok(()) };
        let row = self.ledger.at(place);
        let (created, slot) = (row.created, row.values.slot.0);
        self.serializable.conflicts_in(sxact, |reader, target| match target {
            Target::Bookings { slot: other } => {
                other == slot && created.is_seen(NONE, reader.snapshot)
            }
            Target::Booking { place: other } => other == place,
            Target::Version { .. } | Target::Keys => false,
        })?;
        self.serializable.unlock(sxact, Target::Booking { place });
        Ok(())
    }
}

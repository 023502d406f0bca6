//! What a serializable transaction has read, and the writes that change it.

use lockproof_model::SlotId;

use super::{Serializable, SxactId};
use crate::answer::SqlError;
use crate::database::Database;
use crate::ledger::{Booking, Stamp};
use crate::slots::{NONE, shelf};

impl Serializable {
    /// A version of a slot's row was read.
    pub(crate) fn lock_version(&mut self, id: SxactId, row: u32, commit: u64) {
        if let Some(sxact) = self.get_mut(id)
            && !sxact.versions.contains(&(row, commit))
        {
            sxact.versions.push((row, commit));
        }
    }

    /// A version is replaced; `None` for one of the transaction's own, which nobody else has read.
    pub(crate) fn replace_version(
        &mut self,
        id: SxactId,
        row: u32,
        replaced: Option<u64>,
    ) -> Result<(), SqlError> {
        self.conflicts_in(id, |sxact| {
            replaced.is_some_and(|commit| sxact.versions.contains(&(row, commit)))
        })?;
        // Who writes a row needs no mark of having read it.
        if let (Some(sxact), Some(commit)) = (self.get_mut(id), replaced) {
            sxact.versions.retain(|&read| read != (row, commit));
        }
        Ok(())
    }

    /// A booking was looked for by its key.
    pub(crate) fn lock_key(&mut self, id: SxactId) {
        if let Some(sxact) = self.get_mut(id) {
            sxact.has_read_keys = true;
        }
    }

    /// A booking is written, under a new key.
    pub(crate) fn add_key(&mut self, id: SxactId, is_page_locked: bool) -> Result<(), SqlError> {
        self.conflicts_in(id, |sxact| is_page_locked && sxact.has_read_keys)
    }

    /// A booking is added to the index on slots: of this slot, or of any where that has one page.
    pub(crate) fn add_booking(&mut self, id: SxactId, slot: Option<u32>) -> Result<(), SqlError> {
        self.conflicts_in(id, |sxact| {
            slot.map_or(!sxact.counted.is_empty(), |slot| sxact.counted.contains(&slot))
        })
    }

    fn lock_count(&mut self, id: SxactId, slot: u32) {
        if let Some(sxact) = self.get_mut(id)
            && !sxact.counted.contains(&slot)
        {
            sxact.counted.push(slot);
        }
    }

    /// A booking was seen under its key.
    fn lock_booking(&mut self, id: SxactId, place: u32) {
        if let Some(sxact) = self.get_mut(id) {
            sxact.keys.push(place);
        }
    }
}

impl Database {
    /// Reads the bookings of a slot for a serializable transaction.
    pub(crate) fn read_bookings(&mut self, at: u32, slot: SlotId) -> Result<(), SqlError> {
        let Some(sxact) = self.transaction(at).sxact else { return Ok(()) };
        self.serializable.lock_count(sxact, slot.0);
        let shelf = &self.slots[shelf(slot, self.slots.len())];
        let of_slot = self.ledger.of(shelf).filter(|(_, row)| row.values.slot == slot);
        let mut places: Vec<_> = of_slot.map(|(place, row)| (row.values.unit, place)).collect();
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
                self.serializable.lock_booking(sxact, place);
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
        self.serializable.conflicts_in(sxact, |reader| {
            let has_counted =
                reader.counted.contains(&slot) && created.is_seen(NONE, reader.snapshot);
            has_counted || reader.keys.contains(&place)
        })?;
        // As with versions.
        if let Some(sxact) = self.serializable.get_mut(sxact) {
            sxact.keys.retain(|&other| other != place);
        }
        Ok(())
    }
}

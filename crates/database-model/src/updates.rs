//! Reading, locking and changing a slot's row.

use lockproof_model::SlotId;

use crate::answer::{Answer, SqlError};
use crate::database::{Database, Step};
use crate::slots::{Columns, Mode, Version};
use crate::statement::{SlotLock, Statement};

impl Database {
    /// The row's place, if the table has it.
    fn row(&self, slot: SlotId) -> Option<u32> {
        (slot.0 > 0 && (slot.0 as usize) < self.slots.len()).then_some(slot.0)
    }

    /// Looks at the row through the transaction's snapshot; fails where a serializable one must not go on.
    fn see(&mut self, at: u32, row: u32) -> Result<Version, SqlError> {
        let slot = &self.slots[row as usize];
        let is_own = slot.owner == at && slot.pending.is_some();
        let (seen, next) = slot.seen_by(self.horizon(at));
        if let Some(sxact) = self.transaction(at).sxact {
            let next = match slot.pending {
                Some(_) if next.is_none() && !is_own => Some(self.writer(slot.owner)),
                _ => next,
            };
            self.serializable.may_read(sxact)?;
            if let Some(writer) = next {
                self.serializable.conflict_out(sxact, writer)?;
            }
            if !is_own {
                self.serializable.lock_version(sxact, row, seen.commit);
            }
        }
        let slot = &self.slots[row as usize];
        Ok(match slot.pending {
            Some(columns) if is_own => Version { columns, ..seen },
            _ => seen,
        })
    }

    pub(crate) fn read_slot(&mut self, at: u32, slot: SlotId, lock: SlotLock) -> Step {
        let Some(row) = self.row(slot) else { return Step::Answer(Answer::Slot(None)) };
        let seen = match self.see(at, row) {
            Ok(seen) => seen,
            Err(error) => return Step::Error(error),
        };
        if lock == SlotLock::None {
            return Step::Answer(Answer::Slot(Some(self.slot_row(row, &seen))));
        }
        self.read_slot_again(at, slot, lock)
    }

    /// Takes the lock, or waits for it; what is read is the newest version.
    pub(crate) fn read_slot_again(&mut self, at: u32, slot: SlotId, lock: SlotLock) -> Step {
        let Some(row) = self.row(slot) else { return Step::Answer(Answer::Slot(None)) };
        let mode = match lock {
            SlotLock::None | SlotLock::ForShare => Mode::Shared,
            SlotLock::ForUpdate | SlotLock::ForUpdateNoWait | SlotLock::ForUpdateSkipLocked => {
                Mode::Exclusive
            }
        };
        if self.is_stale(at, row) {
            return Step::SERIALIZATION_FAILURE;
        }
        if !self.slots[row as usize].is_free_for(at, mode) {
            return match lock {
                SlotLock::ForUpdateNoWait => Step::Error(SqlError::LockNotAvailable),
                SlotLock::ForUpdateSkipLocked => Step::Answer(Answer::Slot(None)),
                SlotLock::None | SlotLock::ForUpdate | SlotLock::ForShare => {
                    Step::Wait(self.wait_for_row(at, row, mode, true))
                }
            };
        }
        self.acquire(at, row, mode);
        let slot = &self.slots[row as usize];
        let newest = slot.pending.filter(|_| slot.owner == at).unwrap_or(slot.current.columns);
        let newest = Version { columns: newest, ..slot.current };
        Step::Answer(Answer::Slot(Some(self.slot_row(row, &newest))))
    }

    /// An UPDATE. What its WHERE does not let pass as seen by the snapshot is not waited for.
    pub(crate) fn update(&mut self, at: u32, statement: Statement) -> Step {
        let Some(row) = target(statement).and_then(|slot| self.row(slot)) else {
            return Step::Answer(Answer::Changed(0));
        };
        match self.see(at, row) {
            Ok(seen) if change(statement, seen.columns).is_some() => {}
            Ok(_) => return Step::Answer(Answer::Changed(0)),
            Err(error) => return Step::Error(error),
        }
        self.assign_xid(at);
        self.update_again(at, statement)
    }

    /// Takes the row's lock, or waits for it, looks at the newest version again, and changes that.
    ///
    /// A row that the WHERE does not let pass any more stays locked, as it does on a server.
    pub(crate) fn update_again(&mut self, at: u32, statement: Statement) -> Step {
        let Some(row) = target(statement).and_then(|slot| self.row(slot)) else {
            return Step::Answer(Answer::Changed(0));
        };
        if self.is_stale(at, row) {
            return Step::SERIALIZATION_FAILURE;
        }
        let slot = &self.slots[row as usize];
        if !slot.is_free_for(at, Mode::Exclusive) {
            return Step::Wait(self.wait_for_row(at, row, Mode::Exclusive, false));
        }
        let base = slot.pending.unwrap_or(slot.current.columns);
        let changed = change(statement, base);
        if changed.is_some()
            && let Some(sxact) = self.transaction(at).sxact
        {
            // Of its own versions nobody has read any.
            let replaced = slot.pending.is_none().then_some(slot.current.commit);
            if let Err(error) = self.serializable.replace_version(sxact, row, replaced) {
                return Step::Error(error);
            }
        }
        self.acquire(at, row, Mode::Exclusive);
        if changed.is_some() {
            self.slots[row as usize].pending = changed;
        }
        Step::Answer(Answer::Changed(changed.is_some().into()))
    }
}

const fn target(statement: Statement) -> Option<SlotId> {
    match statement {
        Statement::RaiseFence { slot, .. }
        | Statement::BumpVersion { slot, .. }
        | Statement::SetVersion { slot, .. }
        | Statement::AddVersion { slot, .. } => Some(slot),
        _ => None,
    }
}

/// What the UPDATE makes of the columns, if its WHERE lets them pass.
fn change(statement: Statement, columns: Columns) -> Option<Columns> {
    let Columns { version, fence } = columns;
    match statement {
        Statement::RaiseFence { token, .. } if fence <= token.0 => {
            Some(Columns { version, fence: token.0 })
        }
        Statement::BumpVersion { expected, .. } if version == expected => {
            Some(Columns { version: version.wrapping_add(1), fence })
        }
        Statement::SetVersion { version, .. } => Some(Columns { version, fence }),
        Statement::AddVersion { by, .. } => {
            Some(Columns { version: version.wrapping_add(by), fence })
        }
        _ => None,
    }
}

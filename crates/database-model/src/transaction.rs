//! Transactions: their beginning, their end, and what they see.

use crate::answer::{Answer, SqlError};
use crate::database::Database;
use crate::ledger::Stamp;
use crate::session::{Client, Stage, Transaction};
use crate::slots::{Mode, NONE, shelf};
use crate::statement::Isolation;

impl Database {
    pub(crate) fn transaction(&self, at: u32) -> &Transaction {
        &self.sessions[at as usize].transaction
    }

    pub(crate) fn transaction_mut(&mut self, at: u32) -> &mut Transaction {
        &mut self.sessions[at as usize].transaction
    }

    pub(crate) fn begin(&mut self, at: u32, isolation: Isolation, stage: Stage) {
        let transaction = self.transaction_mut(at);
        transaction.stage = stage;
        transaction.isolation = isolation;
    }

    /// The snapshot comes with the first statement, not with BEGIN.
    pub(crate) fn take_snapshot(&mut self, at: u32) {
        let Transaction { isolation, snapshot, .. } = *self.transaction(at);
        if isolation == Isolation::ReadCommitted || snapshot.is_some() {
            return;
        }
        let now = self.commits;
        self.transaction_mut(at).snapshot = Some(now);
        self.snapshots.push(now);
        if isolation == Isolation::Serializable {
            let xmin = self.xids.first().copied().unwrap_or(self.next_xid);
            self.transaction_mut(at).sxact = Some(self.serializable.begin(now, xmin));
        }
    }

    /// The last commit that a statement which begins now sees.
    pub(crate) fn horizon(&self, at: u32) -> u64 {
        self.transaction(at).snapshot.unwrap_or(u64::MAX)
    }

    /// The serializable transaction that the session is in, or 0.
    pub(crate) fn writer(&self, at: u32) -> u32 {
        self.transaction(at).sxact.map_or(0, |sxact| sxact.0)
    }

    /// Whether the row has changed since the transaction's snapshot.
    pub(crate) fn is_stale(&self, at: u32, row: u32) -> bool {
        self.slots[row as usize].current.commit > self.horizon(at)
    }

    pub(crate) fn assign_xid(&mut self, at: u32) {
        if self.transaction(at).xid.is_none() {
            let xid = self.next_xid;
            self.next_xid += 1;
            self.xids.push(xid);
            self.transaction_mut(at).xid = Some(xid);
        }
    }

    /// Locks a row that is free for the session.
    pub(crate) fn acquire(&mut self, at: u32, row: u32, mode: Mode) {
        let slot = &mut self.slots[row as usize];
        if !slot.is_held_by(at) {
            self.sessions[at as usize].transaction.rows.push(row);
        }
        match mode {
            Mode::Exclusive => slot.owner = at,
            Mode::Shared if slot.is_held_by(at) => {}
            Mode::Shared => slot.sharers.push(at),
        }
        self.assign_xid(at);
    }

    /// COMMIT, or what becomes of it after a statement has failed.
    pub(crate) fn commit(&mut self, at: u32) -> Result<Answer, SqlError> {
        match self.transaction(at).stage {
            Stage::Idle => return Ok(Answer::Done),
            Stage::Failed => {
                self.roll_back(at);
                return Ok(Answer::RolledBack);
            }
            Stage::Single | Stage::Open => {}
        }
        let sxact = self.transaction(at).sxact;
        if let Some(sxact) = sxact
            && self.serializable.prepare(sxact).is_err()
        {
            self.roll_back(at);
            return Err(SqlError::SerializationFailure);
        }
        if self.transaction(at).xid.is_some() {
            self.write_down(at);
        }
        self.leave_snapshot(at);
        if let Some(sxact) = sxact {
            self.serializable.commit(sxact, self.next_xid);
        }
        self.finish(at, Stage::Idle);
        Ok(Answer::Committed)
    }

    /// Makes visible what the transaction has written.
    fn write_down(&mut self, at: u32) {
        self.commits += 1;
        let (commit, writer) = (self.commits, self.writer(at));
        self.leave_snapshot(at);
        let oldest = self.snapshots.first().copied();
        let Self { sessions, slots, ledger, keys, .. } = self;
        let known = slots.len();
        let transaction = &sessions[at as usize].transaction;
        for &row in &transaction.rows {
            let slot = &mut slots[row as usize];
            if slot.owner == at {
                slot.commit(commit, writer, oldest);
            }
        }
        for &place in &transaction.inserted {
            let row = ledger.at_mut(place);
            row.created = Stamp::At(commit);
            slots[shelf(row.values.slot, known)].confirmed += 1;
        }
        for &place in &transaction.deleted {
            let row = ledger.at_mut(place);
            row.deleted = Stamp::At(commit);
            let slot = &mut slots[shelf(row.values.slot, known)];
            slot.confirmed -= 1;
            if oldest.is_none() {
                // Nobody will see it again.
                ledger.unlink(place, slot);
            }
        }
        for request in &transaction.keys {
            keys.insert(*request, Stamp::At(commit));
        }
    }

    /// Undoes what the transaction did and frees its locks; the session stays in `stage`.
    fn undo(&mut self, at: u32, stage: Stage) {
        self.leave_snapshot(at);
        let Self { sessions, slots, ledger, keys, .. } = self;
        let known = slots.len();
        let transaction = &sessions[at as usize].transaction;
        for &place in &transaction.inserted {
            let row = ledger.at_mut(place);
            row.created = Stamp::Never;
            let slot = &mut slots[shelf(row.values.slot, known)];
            ledger.unlink(place, slot);
        }
        for &place in &transaction.deleted {
            let row = ledger.at_mut(place);
            (row.deleted, row.deleter) = (Stamp::Never, 0);
        }
        for request in &transaction.keys {
            keys.remove(request);
        }
        if let Some(sxact) = transaction.sxact {
            self.serializable.roll_back(sxact);
        }
        self.finish(at, stage);
    }

    fn leave_snapshot(&mut self, at: u32) {
        if let Some(snapshot) = self.transaction_mut(at).snapshot.take()
            && let Some(place) = self.snapshots.iter().position(|&other| other == snapshot)
        {
            self.snapshots.remove(place);
        }
    }

    /// Frees the transaction's locks.
    fn finish(&mut self, at: u32, stage: Stage) {
        let Self { sessions, slots, ledger, xids, blocked, has_released, .. } = self;
        let session = &mut sessions[at as usize];
        session.serial += 1;
        let transaction = &mut session.transaction;
        transaction.stage = stage;
        transaction.sxact = None;
        for row in transaction.rows.drain(..) {
            slots[row as usize].release(at);
        }
        for place in transaction.locked.drain(..) {
            ledger.at_mut(place).locker = NONE;
        }
        transaction.keys.clear();
        transaction.inserted.clear();
        transaction.deleted.clear();
        if let Some(xid) = transaction.xid.take() {
            xids.retain(|&other| other != xid);
        }
        *has_released |= !blocked.is_empty();
        if std::mem::take(&mut transaction.has_advisory) {
            self.release_advisory(at);
        }
    }

    /// A statement has failed: its transaction is undone at once, though the client has yet to say so.
    pub(crate) fn fail(&mut self, at: u32) {
        let is_single = self.transaction(at).stage == Stage::Single;
        self.undo(at, if is_single { Stage::Idle } else { Stage::Failed });
    }

    /// ROLLBACK, whatever is open.
    pub(crate) fn roll_back(&mut self, at: u32) {
        match self.transaction(at).stage {
            Stage::Idle => {}
            Stage::Failed => self.transaction_mut(at).stage = Stage::Idle,
            Stage::Single | Stage::Open => self.undo(at, Stage::Idle),
        }
    }

    /// Ends the session.
    pub(crate) fn end(&mut self, at: u32) {
        self.blocked.retain(|&other| other != at);
        self.roll_back(at);
        self.end_advisory(at);
        let session = &mut self.sessions[at as usize];
        session.client = Client::Ended;
        session.waiting = None;
        session.inbox.clear();
        self.has_released = true;
    }
}

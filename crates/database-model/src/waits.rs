//! Who waits for what, who goes on when something is let go, and who would wait for ever.

use crate::answer::{Executed, SqlError};
use crate::database::{Database, Step};
use crate::session::{Client, Stage};
use crate::slots::{Mode, NONE, Slot};
use crate::statement::Statement;

/// A statement that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) statement: Statement,
    pub(crate) wait: Wait,
    /// Whether going on waiting would close a circle.
    is_victim: bool,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A row of slots, in line with others.
    Row(RowWait),
    /// The end of a session's transaction.
    Transaction { session: u32, serial: u64 },
    /// An advisory lock, in line with others.
    Advisory { key: i64 },
}

/// Waiting for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowWait {
    pub(crate) row: u32,
    pub(crate) mode: Mode,
    /// Who has it FOR SHARE already does not queue for more.
    pub(crate) is_member: bool,
    /// The row's newest version, by its commit, when this began to wait.
    version: u64,
    /// Whose transaction had the row when this was looked at last, and which of its transactions that was.
    owner: (u32, u64),
    /// Whether a locking read found that one to have changed the row. It then goes on to the version that was made,
    /// and waits for who has that, also where all that it will say is that it must not see it
    /// (`heap_lock_updated_tuple`).
    follows: bool,
}

impl Database {
    pub(crate) fn wait_for_row(&self, at: u32, row: u32, mode: Mode, is_read: bool) -> Wait {
        let slot = &self.slots[row as usize];
        let is_member = slot.sharers.contains(&at);
        let (owner, follows) = (self.owner(slot), is_read && slot.pending.is_some());
        let version = slot.current.commit;
        Wait::Row(RowWait { row, mode, is_member, version, owner, follows })
    }

    fn owner(&self, slot: &Slot) -> (u32, u64) {
        (slot.owner, self.sessions.get(slot.owner as usize).map_or(0, |owner| owner.serial))
    }

    /// A statement has come as far as it comes.
    pub(crate) fn conclude(&mut self, at: u32, statement: Statement, step: Step) -> Executed {
        match step {
            Step::Answer(answer) => {
                let is_single = self.transaction(at).stage == Stage::Single;
                let ended = if is_single { self.commit(at).map(drop) } else { Ok(()) };
                Executed::Done(ended.map(|()| answer))
            }
            Step::Error(error) => {
                self.fail(at);
                Executed::Done(Err(error))
            }
            Step::Wait(wait) => {
                self.sessions[at as usize].waiting =
                    Some(Waiting { statement, wait, is_victim: false });
                self.blocked.push(at);
                if !self.closes_circle(at) {
                    return Executed::Blocked;
                }
                self.blocked.pop();
                self.sessions[at as usize].waiting = None;
                self.fail(at);
                Executed::Done(Err(SqlError::DeadlockDetected))
            }
        }
    }

    /// Lets everybody go on who can, first come, first served.
    pub(crate) fn wake(&mut self) {
        while std::mem::take(&mut self.has_released) {
            while let Some((place, at)) = self.next_to_go_on() {
                self.blocked.remove(place);
                let Some(waiting) = self.sessions[at as usize].waiting.take() else { continue };
                let Waiting { statement, is_victim, .. } = waiting;
                let step = if is_victim {
                    Step::Error(SqlError::DeadlockDetected)
                } else {
                    self.resume(at, statement)
                };
                let executed = self.conclude(at, statement, step);
                self.go_on(at, executed);
            }
        }
    }

    /// A statement that had waited has come so far: what was sent behind it is next.
    pub(crate) fn go_on(&mut self, at: u32, mut executed: Executed) {
        while let Executed::Done(result) = executed {
            self.woken.push((self.name(at as usize), result));
            let Some(next) = self.sessions[at as usize].inbox.pop_front() else { break };
            executed = self.start(at, next);
        }
        let session = &self.sessions[at as usize];
        if session.client == Client::Gone && session.waiting.is_none() {
            self.end(at);
        }
    }

    fn next_to_go_on(&mut self) -> Option<(usize, u32)> {
        self.looks += 1;
        for place in 0..self.blocked.len() {
            let at = self.blocked[place];
            let wait = self.sessions[at as usize].waiting.map(|waiting| waiting.wait);
            if wait.is_some_and(|wait| self.may_go_on(at, wait)) {
                return Some((place, at));
            }
        }
        None
    }

    fn may_go_on(&mut self, at: u32, wait: Wait) -> bool {
        match wait {
            Wait::Row(wait) => self.may_have_row(at, wait),
            Wait::Transaction { session, serial } => {
                self.sessions[session as usize].serial != serial
            }
            Wait::Advisory { key } => self.advisory_holder(at, key).is_none(),
        }
    }

    fn may_have_row(&mut self, at: u32, wait: RowWait) -> bool {
        let RowWait { row, mode, is_member, version, owner, follows } = wait;
        let (is_stale, looks) = (self.is_stale(at, row), self.looks);
        let slot = &self.slots[row as usize];
        let has_ended = self.owner(slot) != owner;
        // Where the next version was replaced as well, that is news enough.
        let follows = follows && slot.current.replaces == Some(version);
        let is_free = slot.is_free_for(at, mode);
        if is_member {
            return is_free || (is_stale && !follows) || self.waits_for_ever(at, row);
        }
        if is_stale && !follows {
            // To fail, for which it has but to come to the old version's head of the line.
            return slot.followed != looks;
        }
        if slot.closed == looks {
            return false;
        }
        if is_free {
            return true;
        }
        let now = (self.owner(slot), slot.pending.is_some());
        let version = slot.current.commit;
        let slot = &mut self.slots[row as usize];
        slot.closed = looks;
        if has_ended && follows {
            slot.followed = looks;
        } else if has_ended && let Some(waiting) = &mut self.sessions[at as usize].waiting {
            // At the head of the line now, it looks at the row again.
            let is_read = matches!(waiting.statement, Statement::ReadSlot { .. });
            let (owner, follows) = (now.0, is_read && now.1);
            waiting.wait = Wait::Row(RowWait { version, owner, follows, ..wait });
        }
        self.waits_for_ever(at, row)
    }

    /// Sharers are waited for one by one, so that a circle may close when the first of them has ended.
    fn waits_for_ever(&mut self, at: u32, row: u32) -> bool {
        if self.slots[row as usize].sharers.is_empty() || !self.closes_circle(at) {
            return false;
        }
        if let Some(waiting) = &mut self.sessions[at as usize].waiting {
            waiting.is_victim = true;
        }
        true
    }

    /// Whether somebody whom the session waits for waits, directly or not, for it.
    fn closes_circle(&self, start: u32) -> bool {
        // Nobody else waits.
        if self.blocked.len() < 2 {
            return false;
        }
        let mut seen = vec![false; self.sessions.len()];
        let mut left = vec![start];
        while let Some(at) = left.pop() {
            self.for_each_obstacle(at, |other| {
                if !std::mem::replace(&mut seen[other as usize], true) {
                    left.push(other);
                }
            });
        }
        seen[start as usize]
    }

    /// Everybody whom a waiting session waits for.
    fn for_each_obstacle(&self, at: u32, mut tell: impl FnMut(u32)) {
        let Some(Waiting { wait, .. }) = self.sessions[at as usize].waiting else { return };
        match wait {
            Wait::Transaction { session, .. } => tell(session),
            Wait::Advisory { key } => {
                self.advisory_holder(at, key).into_iter().for_each(&mut tell);
                let is_same = |wait| matches!(wait, Wait::Advisory { key: other } if other == key);
                self.before(at, is_same).for_each(tell);
            }
            Wait::Row(RowWait { row, mode, is_member, .. }) => {
                let slot = &self.slots[row as usize];
                let wanted = |&other: &u32| other != at && other != NONE;
                // The first of several sharers alone: they are waited for one by one.
                let mut sharers = slot.sharers.iter().copied().filter(wanted);
                sharers.next().filter(|_| mode == Mode::Exclusive).into_iter().for_each(&mut tell);
                Some(slot.owner).filter(wanted).into_iter().for_each(&mut tell);
                if !is_member {
                    let is_ahead = |wait| match wait {
                        Wait::Row(other) => {
                            let conflict = mode == Mode::Exclusive || other.mode == Mode::Exclusive;
                            other.row == row && !other.is_member && conflict
                        }
                        Wait::Transaction { .. } | Wait::Advisory { .. } => false,
                    };
                    self.before(at, is_ahead).for_each(tell);
                }
            }
        }
    }

    /// Those who have waited longer than `at` for such a thing.
    fn before(&self, at: u32, is_such: impl Fn(Wait) -> bool) -> impl Iterator<Item = u32> {
        let longer = self.blocked.iter().copied().take_while(move |&other| other != at);
        longer.filter(move |&other| {
            self.sessions[other as usize].waiting.is_some_and(|waiting| is_such(waiting.wait))
        })
    }
}

//! Who waits for what, who goes on when something is let go, and who would wait for ever.

use crate::answer::{Executed, SqlError};
use crate::database::{Database, Step};
use crate::session::{Client, Stage};
use crate::slots::Mode;
use crate::statement::Statement;

/// A statement that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) statement: Statement,
    pub(crate) wait: Wait,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A row of slots, in line with others; who has it FOR SHARE already does not queue for more.
    Row { row: u32, mode: Mode, is_member: bool },
    /// The end of a session's transaction.
    Transaction { session: u32, serial: u64 },
    /// An advisory lock, in line with others.
    Advisory { key: i64 },
}

impl Database {
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
                self.sessions[at as usize].waiting = Some(Waiting { statement, wait });
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
                let Some(Waiting { statement, .. }) = self.sessions[at as usize].waiting.take()
                else {
                    continue;
                };
                let step = self.resume(at, statement);
                let mut executed = self.conclude(at, statement, step);
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
            Wait::Row { row, mode, is_member } => {
                // To fail, which needs no lock.
                if self.is_stale(at, row) {
                    return true;
                }
                let looks = self.looks;
                let slot = &mut self.slots[row as usize];
                if slot.closed == looks && !is_member {
                    return false;
                }
                let is_free = slot.is_free_for(at, mode);
                if !is_free && !is_member {
                    slot.closed = looks;
                }
                is_free
            }
            Wait::Transaction { session, serial } => {
                self.sessions[session as usize].serial != serial
            }
            Wait::Advisory { key } => self.advisory_holder(at, key).is_none(),
        }
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
            Wait::Row { row, mode, is_member } => {
                let slot = &self.slots[row as usize];
                let sharers = slot.sharers.iter().filter(|_| mode == Mode::Exclusive);
                let holders = sharers.chain([&slot.owner]).copied();
                holders
                    .filter(|&other| other != at && (other as usize) < self.sessions.len())
                    .for_each(&mut tell);
                if !is_member {
                    let is_ahead = |wait| match wait {
                        Wait::Row { row: other, mode: theirs, is_member } => {
                            let conflict = mode == Mode::Exclusive || theirs == Mode::Exclusive;
                            other == row && !is_member && conflict
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

//! Advisory locks: numbers that mean what the application says.

use crate::SessionId;
use crate::answer::Answer;
use crate::database::{Database, Step};
use crate::statement::AdvisoryScope;
use crate::waits::Wait;

/// A lock that somebody has.
#[derive(Debug)]
pub(crate) struct AdvisoryLock {
    pub(crate) key: i64,
    pub(crate) session: u32,
    /// How often, to the session's end.
    lasting: u32,
    /// How often, to the transaction's.
    passing: u32,
}

impl Database {
    /// The session that has that advisory lock.
    #[must_use]
    pub fn advisory_session(&self, key: i64) -> Option<SessionId> {
        let lock = self.advisory.iter().find(|lock| lock.key == key)?;
        Some(self.name(lock.session as usize))
    }

    /// The server ends the session that has that advisory lock; whether one had it.
    pub fn end_holder_of(&mut self, key: i64) -> bool {
        let holder = self.advisory_session(key);
        if let Some(session) = holder {
            self.terminate(session);
        }
        holder.is_some()
    }

    /// Whether another session has it.
    pub(crate) fn advisory_holder(&self, at: u32, key: i64) -> Option<u32> {
        let lock = self.advisory.iter().find(|lock| lock.key == key)?;
        (lock.session != at).then_some(lock.session)
    }

    pub(crate) fn lock_advisory(&mut self, at: u32, key: i64, scope: AdvisoryScope) -> Step {
        if self.advisory_holder(at, key).is_some() {
            return Step::Wait(Wait::Advisory { key });
        }
        self.take_advisory(at, key, scope);
        Step::Answer(Answer::Done)
    }

    pub(crate) fn try_advisory(&mut self, at: u32, key: i64, scope: AdvisoryScope) -> Step {
        let is_free = self.advisory_holder(at, key).is_none();
        if is_free {
            self.take_advisory(at, key, scope);
        }
        Step::Answer(Answer::Advisory(is_free))
    }

    fn take_advisory(&mut self, at: u32, key: i64, scope: AdvisoryScope) {
        let place = self.advisory.iter().position(|lock| lock.key == key).unwrap_or_else(|| {
            self.advisory.push(AdvisoryLock { key, session: at, lasting: 0, passing: 0 });
            self.advisory.len() - 1
        });
        let lock = &mut self.advisory[place];
        match scope {
            AdvisoryScope::Session => lock.lasting += 1,
            AdvisoryScope::Transaction => {
                lock.passing += 1;
                self.transaction_mut(at).has_advisory = true;
            }
        }
    }

    /// Takes one of session scope back; one of transaction scope cannot be.
    pub(crate) fn unlock_advisory(&mut self, at: u32, key: i64) -> Step {
        let mine = |lock: &AdvisoryLock| lock.key == key && lock.session == at && lock.lasting > 0;
        let Some(place) = self.advisory.iter().position(mine) else {
            return Step::Answer(Answer::Advisory(false));
        };
        self.advisory[place].lasting -= 1;
        self.drop_free();
        Step::Answer(Answer::Advisory(true))
    }

    pub(crate) fn unlock_all_advisory(&mut self, at: u32) -> Step {
        for lock in self.advisory.iter_mut().filter(|lock| lock.session == at) {
            lock.lasting = 0;
        }
        self.drop_free();
        Step::Answer(Answer::Done)
    }

    /// The session's transaction has ended.
    pub(crate) fn release_advisory(&mut self, at: u32) {
        for lock in self.advisory.iter_mut().filter(|lock| lock.session == at) {
            lock.passing = 0;
        }
        self.drop_free();
    }

    /// The session has ended.
    pub(crate) fn end_advisory(&mut self, at: u32) {
        self.advisory.retain(|lock| lock.session != at);
    }

    fn drop_free(&mut self) {
        self.advisory.retain(|lock| lock.lasting + lock.passing > 0);
        self.has_released = true;
    }
}

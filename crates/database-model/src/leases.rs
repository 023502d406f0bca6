//! Leases: a row per lock, of an owner, an end and a token.
//!
//! One statement changes one row and never waits: none of them is sent inside a transaction, so that nobody has a row
//! locked when the next one comes.

use std::time::Duration;

use lockproof_model::{Instant, LeaseChange};

use crate::answer::Answer;
use crate::database::{Database, Step};
use crate::statement::LeaseStatement;

/// The row of a lock. Those of released leases stay, so that tokens only rise.
#[derive(Debug)]
pub(crate) struct LeaseRow {
    owner: u64,
    /// In whole milliseconds of whoever judges; it has ended once that clock says more.
    ends: Option<u64>,
    token: u64,
}

impl LeaseRow {
    fn stands(&self, now: u64) -> bool {
        self.ends.is_some_and(|ends| ends >= now)
    }
}

impl Database {
    /// Says what time it is: what leases end by, unless a statement brings a time of its own.
    pub fn tell_time(&mut self, now: Instant) {
        self.now = now;
    }

    /// Whose the lease of a lock is, where it stands.
    #[must_use]
    pub fn lease_owner(&self, lock: u64) -> Option<u64> {
        let row = self.leases.get(&lock)?;
        row.stands(millis(self.now)).then_some(row.owner)
    }

    /// Ends the lease of a lock, whoever has it; whether one stood.
    pub fn expire_lease(&mut self, lock: u64) -> bool {
        let now = millis(self.now);
        let Some(row) = self.leases.get_mut(&lock) else { return false };
        let stood = row.stands(now);
        row.ends = None;
        stood
    }

    pub(crate) fn change_lease(&mut self, statement: LeaseStatement) -> Step {
        let LeaseStatement { lock, owner, change, now } = statement;
        let now = millis(now.unwrap_or(self.now));
        let row = self.leases.entry(lock).or_insert(LeaseRow { owner, ends: None, token: 0 });
        let is_mine = row.owner == owner && row.stands(now);
        let changed = match change {
            LeaseChange::Take { ttl } => {
                let is_free = !row.stands(now);
                if is_free {
                    *row = LeaseRow { owner, ends: Some(after(now, ttl)), token: row.token + 1 };
                }
                is_free
            }
            LeaseChange::Renew { ttl } => {
                if is_mine {
                    row.ends = Some(after(now, ttl));
                }
                is_mine
            }
            LeaseChange::End => {
                if is_mine {
                    row.ends = None;
                }
                is_mine
            }
        };
        Step::Answer(Answer::Lease(changed.then_some(row.token)))
    }
}

fn millis(instant: Instant) -> u64 {
    instant.as_nanos() / 1_000_000
}

fn after(now: u64, ttl: Duration) -> u64 {
    now.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
}

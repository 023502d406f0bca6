//! Lock + guard.

use std::fmt;

use lockproof_bookings::catalog as guards;
use lockproof_locks::{self as locks, LockEntry, Tokens};

use crate::suggest::hint;

/// A way to sell a slot once: a lock and a guard, spelled `redlock+version`. A guard of its own is `row-lock`, a
/// lock of its own `redis-set-nx`.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// How to be alone.
    pub lock: &'static LockEntry,
    /// How the write protects itself.
    pub guard: &'static guards::Entry,
}

impl Strategy {
    /// The strategy that is spelled so.
    ///
    /// # Errors
    /// A part is unknown, or the two do not fit.
    pub fn parse(text: &str) -> Result<Self, StrategyError> {
        let lock = |name: &str| locks::find(name).ok_or_else(|| StrategyError::lock(name));
        let guard = |name: &str| guards::find(name).ok_or_else(|| StrategyError::guard(name));
        let strategy = match text.split_once('+') {
            Some((first, second)) => Self { lock: lock(first)?, guard: guard(second)? },
            None => match (locks::find(text), guards::find(text)) {
                (Some(lock), _) => Self { lock, guard: guard("none")? },
                (None, Some(guard)) => Self { lock: lock("none")?, guard },
                (None, None) => return Err(StrategyError::neither(text)),
            },
        };
        strategy.fits()
    }

    fn fits(self) -> Result<Self, StrategyError> {
        match self.lock.tokens {
            Tokens::None(why) if self.guard.needs_token => Err(StrategyError(format!(
                "{self} cannot work: the guard {0} orders writes by fencing tokens and the lock {1} gives none, since {why}; a lock that does: redis-set-nx+{0}",
                self.guard.name, self.lock.name
            ))),
            _ => Ok(self),
        }
    }

    /// Why it cannot be on a database of `engine`, where it cannot.
    #[must_use]
    pub fn unsupported_on(&self, engine: &str) -> Option<String> {
        let why = self.guard.refuses(engine)?;
        Some(format!("{self} is unsupported on {engine}: {why}"))
    }

    /// Why it cannot sell a slot `capacity` times, where it cannot.
    #[must_use]
    pub fn unfit_for(&self, capacity: u32) -> Option<String> {
        let why = self.guard.sells_once.filter(|_| capacity > 1)?;
        Some(format!("{self} cannot sell a slot {capacity} times: {why}"))
    }

    /// Every pair that fits, locks by guards in documentation order.
    pub fn all() -> impl Iterator<Item = Self> {
        locks::ENTRIES.iter().flat_map(|lock| {
            guards::ENTRIES.iter().filter_map(move |guard| Self { lock, guard }.fits().ok())
        })
    }
}

/// Two strategies are the same when they are spelled the same.
impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        self.lock.name == other.lock.name && self.guard.name == other.guard.name
    }
}

impl Eq for Strategy {}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.lock.name, self.guard.name) {
            (lock, "none") => f.pad(lock),
            ("none", guard) => f.pad(guard),
            (lock, guard) => f.pad(&format!("{lock}+{guard}")),
        }
    }
}

/// The text names no strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StrategyError(String);

impl StrategyError {
    fn lock(name: &str) -> Self {
        Self(format!("unknown lock `{name}`{}", hint(name, &lock_names())))
    }

    fn guard(name: &str) -> Self {
        Self(format!("unknown guard `{name}`{}", hint(name, &guard_names())))
    }

    fn neither(name: &str) -> Self {
        let mut names = lock_names();
        names.extend(guard_names().iter().filter(|name| **name != "none"));
        Self(format!("unknown strategy `{name}`{}", hint(name, &names)))
    }
}

fn lock_names() -> Vec<&'static str> {
    locks::ENTRIES.iter().map(|entry| entry.name).collect()
}

fn guard_names() -> Vec<&'static str> {
    guards::ENTRIES.iter().map(|entry| entry.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_survives_its_own_spelling() {
        for strategy in Strategy::all() {
            let again = Strategy::parse(&strategy.to_string()).unwrap();
            assert_eq!(again.to_string(), strategy.to_string());
        }
    }

    #[test]
    fn a_guard_that_needs_tokens_is_refused_with_a_lock_that_gives_none() {
        let error = Strategy::parse("redlock+fencing").unwrap_err().to_string();
        assert!(error.contains("not monotonic across quorums"), "{error}");
        assert!(Strategy::parse("fencing").is_err());
    }

    #[test]
    fn an_unknown_part_is_named_with_what_was_meant() {
        let error = Strategy::parse("redis-set-nx+fencng").unwrap_err().to_string();
        assert!(error.contains("did you mean `fencing`?"), "{error}");
        let error = Strategy::parse("rdlock").unwrap_err().to_string();
        assert!(error.contains("did you mean `redlock`?"), "{error}");
    }
}

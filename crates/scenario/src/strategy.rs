//! Lock + guard.

use std::fmt;

use lockproof_bookings::catalog as guards;
use lockproof_locks::{self as locks, LockEntry, Tokens};
use lockproof_rig::Adapter;

use crate::adapter;
use crate::suggest::hint;

/// A way to sell a slot once: a lock and a guard, spelled `redlock+version`. A guard of its own is `row-lock`, a
/// lock of its own `redis-set-nx`, the lock of a program of your own `external:PATH`.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// How to be alone.
    pub lock: &'static LockEntry,
    /// How the write protects itself.
    pub guard: &'static guards::Entry,
    /// The program that speaks for the lock, where one does.
    pub adapter: Option<&'static Adapter>,
}

impl Strategy {
    /// The strategy that is spelled so.
    ///
    /// # Errors
    /// A part is unknown, or the two do not fit.
    pub fn parse(text: &str) -> Result<Self, StrategyError> {
        if let Some(path) = text.strip_prefix(adapter::PREFIX) {
            return Self::external(path)?.fits();
        }
        let lock = |name: &str| locks::find(name).ok_or_else(|| StrategyError::lock(name));
        let guard = |name: &str| guards::find(name).ok_or_else(|| StrategyError::guard(name));
        let adapter = None;
        let strategy = match text.split_once('+') {
            Some((first, second)) => Self { lock: lock(first)?, guard: guard(second)?, adapter },
            None => match (locks::find(text), guards::find(text)) {
                (Some(lock), _) => Self { lock, guard: guard("none")?, adapter },
                (None, Some(guard)) => Self { lock: lock("none")?, guard, adapter },
                (None, None) => return Err(StrategyError::neither(text)),
            },
        };
        strategy.fits()
    }

    /// The lock of the program at the path that `text` begins with.
    fn external(text: &str) -> Result<Self, StrategyError> {
        let (path, guard) = adapter::split(text).map_err(StrategyError)?;
        let adapter::Spoken { lock, adapter } = adapter::find(path).map_err(StrategyError)?;
        Ok(Self { lock, guard, adapter: Some(adapter) })
    }

    /// Why it cannot be simulated, where it cannot.
    #[must_use]
    pub fn needs_live(&self) -> Option<String> {
        self.adapter.map(|_| {
            format!("the lock of {self} is a program by itself, which only the live world can run")
        })
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

    /// Every pair of the catalogs that fits, locks by guards in documentation order.
    pub fn all() -> impl Iterator<Item = Self> {
        locks::ENTRIES.iter().flat_map(|lock| {
            guards::ENTRIES
                .iter()
                .filter_map(move |guard| Self { lock, guard, adapter: None }.fits().ok())
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
        if name == locks::EXTERNAL.name {
            let what = "`external` is followed by a program: external:PATH, or external:PATH+guard";
            return Self(what.to_owned());
        }
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

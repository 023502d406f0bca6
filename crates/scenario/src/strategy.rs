//! Lock + guard, and how the lock is gone about.

use std::fmt;
use std::time::Duration;

use lockproof_bookings::catalog as guards;
use lockproof_locks::policies::{self, PolicyEntry};
use lockproof_locks::{self as locks, KeepAlive, LockEntry, Tokens};
use lockproof_rig::Adapter;
use lockproof_rig::live::{DRIVERS, DriverEntry, find_driver, usual_driver};

use crate::adapter;
use crate::suggest::hint;

/// A way to sell a slot once, spelled `lock@driver~policy+guard`: a lock, the client library that it speaks over, what its
/// holder does about the lease, and a guard. What is usual is not spelled: `redlock+version`; a guard of its own is
/// `row-lock`, a lock of its own `redis-set-nx`, the lock of a program of your own `external:PATH`.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// How to be alone.
    pub lock: &'static LockEntry,
    /// The client library between it and its servers.
    pub driver: &'static DriverEntry,
    /// What its holder does about the lease.
    pub policy: &'static PolicyEntry,
    /// How the write protects itself.
    pub guard: &'static guards::Entry,
    /// The program that speaks for the lock, where one does.
    pub adapter: Option<&'static Adapter>,
}

impl Strategy {
    /// The strategy that is spelled so.
    ///
    /// # Errors
    /// A part is unknown, or the parts do not fit.
    pub fn parse(text: &str) -> Result<Self, StrategyError> {
        if let Some(path) = text.strip_prefix(adapter::PREFIX) {
            return Self::external(path)?.fits();
        }
        let guard = |name: &str| guards::find(name).ok_or_else(|| StrategyError::guard(name));
        let (head, last) = match text.split_once('+') {
            Some((head, last)) => (head, Some(guard(last)?)),
            None => (text, None),
        };
        let (head, policy) = match head.split_once('~') {
            Some((head, name)) => {
                (head, policies::find(name).ok_or_else(|| StrategyError::policy(name))?)
            }
            None => (head, policies::usual()),
        };
        let (name, driver) = match head.split_once('@') {
            Some((name, driver)) => {
                (name, find_driver(driver).ok_or_else(|| StrategyError::driver(driver))?)
            }
            None => (head, usual_driver()),
        };
        let of = |lock, guard| Self { lock, driver, policy, guard, adapter: None };
        let strategy = match (locks::find(name), last) {
            (Some(lock), Some(guard)) => of(lock, guard),
            (Some(lock), None) => of(lock, guard("none")?),
            (None, Some(_)) => return Err(StrategyError::lock(name)),
            (None, None) => match guards::find(text) {
                Some(guard) => of(no_lock()?, guard),
                None if name == text => return Err(StrategyError::neither(text)),
                None => return Err(StrategyError::lock(name)),
            },
        };
        strategy.fits()
    }

    /// A service's own way to sell a slot once: of `lock` the name and what it runs on are all that there is.
    pub(crate) fn of_service(lock: &'static LockEntry) -> Self {
        let guard = guards::find("none").expect("the catalog has it");
        Self { lock, driver: usual_driver(), policy: policies::usual(), guard, adapter: None }
    }

    /// The lock of the program at the path that `text` begins with.
    fn external(text: &str) -> Result<Self, StrategyError> {
        let (path, guard) = adapter::split(text).map_err(StrategyError)?;
        let adapter::Spoken { lock, adapter } = adapter::find(path).map_err(StrategyError)?;
        let (driver, policy) = (usual_driver(), policies::usual());
        Ok(Self { lock, driver, policy, guard, adapter: Some(adapter) })
    }

    fn fits(self) -> Result<Self, StrategyError> {
        let Self { lock, driver, policy, guard, adapter: _ } = self;
        match lock.tokens {
            Tokens::None(why) if guard.needs_token => {
                return Err(StrategyError(format!(
                    "{self} cannot work: the guard {0} orders writes by fencing tokens and the lock {1} gives none, since {why}; a lock that does: redis-set-nx+{0}",
                    guard.name, lock.name
                )));
            }
            _ => {}
        }
        if driver.dialler.is_some() && lock.needs.redis_servers() == 0 {
            return Err(StrategyError(format!(
                "{self} cannot work: {} is a client library for Redis and the lock {} runs on none; leave `@{0}` out",
                driver.name, lock.name
            )));
        }
        if policy.keep.is_some() && !lock.renews {
            return Err(StrategyError(format!(
                "{self} cannot work: the policy {0} renews leases and the lock {1} cannot; leave `~{0}` out, or take a lock that can: redis-set-nx~{0}",
                policy.name, lock.name
            )));
        }
        Ok(self)
    }

    /// Why it cannot be on a database of `engine`, where it cannot.
    #[must_use]
    pub fn unsupported_on(&self, engine: &str) -> Option<String> {
        let why = self.lock.needs.refuses(engine).or_else(|| self.guard.refuses(engine))?;
        Some(format!("{self} is unsupported on {engine}: {why}"))
    }

    /// Why it cannot sell a slot `capacity` times, where it cannot.
    #[must_use]
    pub fn unfit_for(&self, capacity: u32) -> Option<String> {
        let why = self.guard.sells_once.filter(|_| capacity > 1)?;
        Some(format!("{self} cannot sell a slot {capacity} times: {why}"))
    }

    /// Every one that fits, locks by drivers, policies and guards in documentation order.
    pub fn all() -> impl Iterator<Item = Self> {
        let policies = || policies::ENTRIES.iter();
        let ways = DRIVERS.iter().flat_map(move |driver| policies().map(move |way| (driver, way)));
        locks::ENTRIES.iter().flat_map(move |lock| {
            ways.clone().flat_map(move |(driver, policy)| {
                let fitting =
                    move |guard| Self { lock, driver, policy, guard, adapter: None }.fits().ok();
                guards::ENTRIES.iter().filter_map(fitting)
            })
        })
    }

    /// Whether its driver and its policy are the usual ones.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.driver.name == usual_driver().name && self.policy.name == policies::usual().name
    }

    /// Why it is for the live world alone, where it is.
    #[must_use]
    pub fn live_only(&self) -> Option<String> {
        let why = match self.adapter {
            Some(_) => "its lock is a program by itself",
            None if self.lock.needs.coordinator().is_some() => {
                "there is no model of its coordination service"
            }
            None => self.driver.live_only?,
        };
        Some(format!("{self} is live only: {why}"))
    }

    /// How its leases of that TTL are kept alive, where they are.
    #[must_use]
    pub fn keep(&self, ttl: Duration) -> Option<KeepAlive> {
        self.policy.keep.map(|keep| keep(ttl))
    }
}

fn no_lock() -> Result<&'static LockEntry, StrategyError> {
    locks::find("none").ok_or_else(|| StrategyError::lock("none"))
}

/// Two strategies are the same when they are spelled the same.
impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        let parts = |of: &Self| [of.lock.name, of.driver.name, of.policy.name, of.guard.name];
        parts(self) == parts(other)
    }
}

impl Eq for Strategy {}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lock, driver, policy, guard, adapter: _ } = self;
        let mut spelled = lock.name.to_owned();
        for (sign, name, usual) in [
            ('@', driver.name, usual_driver().name),
            ('~', policy.name, policies::usual().name),
            ('+', guard.name, "none"),
        ] {
            if name != usual {
                spelled.push(sign);
                spelled.push_str(name);
            }
        }
        // A guard of its own needs no lock before it.
        f.pad(spelled.strip_prefix("none+").unwrap_or(&spelled))
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

    fn driver(name: &str) -> Self {
        let known: Vec<_> = DRIVERS.iter().map(|entry| entry.name).collect();
        Self(format!("unknown driver `{name}`{}", hint(name, &known)))
    }

    fn policy(name: &str) -> Self {
        let known: Vec<_> = policies::ENTRIES.iter().map(|entry| entry.name).collect();
        Self(format!("unknown policy `{name}`{}", hint(name, &known)))
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_strategy_survives_its_own_spelling() {
        let mut spelled = BTreeSet::new();
        for strategy in Strategy::all() {
            let again = Strategy::parse(&strategy.to_string()).unwrap();
            assert_eq!(again.to_string(), strategy.to_string());
            assert_eq!(again, strategy);
            assert!(spelled.insert(strategy.to_string()), "{strategy} is spelled as another");
        }
        assert!(spelled.contains("redis-set-nx@fred~keep-alive+fencing"));
    }

    #[test]
    fn what_is_usual_may_be_spelled_and_is_the_same() {
        let plain = Strategy::parse("redis-set-nx+unique").unwrap();
        for spelled in ["redis-set-nx@redis-rs~one-term+unique", "redis-set-nx~one-term+unique"] {
            assert_eq!(Strategy::parse(spelled).unwrap(), plain);
        }
        assert_eq!(plain.to_string(), "redis-set-nx+unique");
        assert!(Strategy::parse("redis-set-nx~keep-alive+unique").unwrap() != plain);
    }

    #[test]
    fn a_driver_without_redis_and_a_policy_without_renewal_are_refused_with_a_reason() {
        for (spelled, why) in [
            ("none@fred", "runs on none"),
            ("none~keep-alive+unique", "renews leases and the lock none cannot"),
            ("redis-timestamp-steal~keep-alive", "cannot; leave `~keep-alive` out"),
        ] {
            let error = Strategy::parse(spelled).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
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
        for (spelled, meant) in [
            ("rdlock", "redlock"),
            ("redis-set-nx@fredd", "fred"),
            ("redis-set-nx~keepalive+unique", "keep-alive"),
            ("redis-setnx@fred", "redis-set-nx"),
        ] {
            let error = Strategy::parse(spelled).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean `{meant}`?")), "{error}");
        }
        let error = Strategy::parse("redlock@jedis").unwrap_err().to_string();
        assert!(error.contains("available: redis-rs, fred"), "{error}");
    }
}

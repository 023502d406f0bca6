//! What a lock is told when it is built.

use std::time::Duration;

use lockproof_model::LockName;

use crate::{LockError, Result};

/// What stands behind the key of a lock in that of its counter of fencing tokens.
const FENCE: &str = ":fence";

/// What every lock of a strategy shares, whatever its algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct LockSettings {
    /// Put before every key, so that one server can be shared.
    pub key_prefix: String,
    /// Whether each grant must come with a fencing token, because the guard orders writes by it.
    pub draw_tokens: bool,
    /// How long a lock on one server waits for an answer before its outcome counts as unknown.
    pub time_limit: Duration,
    /// The same for each server of a quorum. Small against the TTL: a server that does not answer must not
    /// eat the validity of those that do.
    pub server_time_limit: Duration,
    /// How far clocks may run apart within a TTL.
    pub drift: Drift,
    /// What a lock on a replicated server asks of its replicas.
    pub replication: Replication,
    /// How a lock's name becomes a key of Redis.
    pub keys: KeyNames,
}

/// How a lock's name becomes a key of Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyNames {
    /// Prefix, and the name in the braces of a hash tag.
    #[default]
    Tagged,
    /// Prefix and name: the name says itself what is a hash tag of it, for a program that shares its keys with others.
    Verbatim,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self {
            key_prefix: "lockproof:".to_owned(),
            draw_tokens: false,
            time_limit: Duration::from_secs(1),
            server_time_limit: Duration::from_millis(100),
            drift: Drift::default(),
            replication: Replication::default(),
            keys: KeyNames::default(),
        }
    }
}

/// How many replicas have to have a grant before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// So many. Fewer than there are leave one that may be promoted without the grant (failure mode F29).
    pub acknowledgements: u32,
    /// How long to wait for them, in whole milliseconds; less than the lock's time limit.
    pub within: Duration,
}

impl Default for Replication {
    fn default() -> Self {
        Self { acknowledgements: 1, within: Duration::from_millis(500) }
    }
}

impl LockSettings {
    /// The key of `lock` on a Redis server.
    ///
    /// The braces are a Redis Cluster hash tag: the lock and what belongs to it live in one cluster slot.
    #[must_use]
    pub fn redis_key(&self, lock: &LockName) -> String {
        match self.keys {
            KeyNames::Tagged => [&self.key_prefix, "{", lock.as_str(), "}"].concat(),
            KeyNames::Verbatim => self.plain_key(lock),
        }
    }

    /// The key of the counter that the fencing tokens of the lock at `key` are drawn from.
    pub(crate) fn fence_key(key: &str) -> String {
        [key, FENCE].concat()
    }

    /// The key of `lock` where no cluster has to be told what belongs together.
    #[must_use]
    pub fn plain_key(&self, lock: &LockName) -> String {
        [&self.key_prefix, lock.as_str()].concat()
    }

    /// The lock that a key is of; none for a key that only belongs to one, such as the counter of its tokens.
    #[must_use]
    pub fn lock_of_redis_key(&self, key: &str) -> Option<LockName> {
        let named = key.strip_prefix(&self.key_prefix)?;
        match self.keys {
            KeyNames::Tagged => named.strip_prefix('{')?.strip_suffix('}').map(LockName::new),
            KeyNames::Verbatim => (!named.ends_with(FENCE)).then(|| LockName::new(named)),
        }
    }

    /// A pattern of Redis for the keys of all locks.
    #[must_use]
    pub fn every_redis_key(&self) -> String {
        [&self.key_prefix, "{*}"].concat()
    }
}

/// The key of the lock that a session was last asked for: the release wants the one that the acquire has made.
#[derive(Debug)]
pub(crate) struct LastKey {
    lock: LockName,
    key: String,
}

impl LastKey {
    pub(crate) fn new(settings: &LockSettings) -> Self {
        let lock = LockName::new("");
        Self { key: settings.redis_key(&lock), lock }
    }

    pub(crate) fn of(&mut self, lock: &LockName, settings: &LockSettings) -> &str {
        if self.lock != *lock {
            self.key = settings.redis_key(lock);
            self.lock = lock.clone();
        }
        &self.key
    }
}

/// The allowance for clocks that run at different rates: `ttl × factor + constant`.
///
/// The defaults are those of the Redlock description (<https://redis.io/docs/latest/develop/use/patterns/distributed-locks/>)
/// and of its first implementation: one percent, and 2 ms for the resolution of expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Share of the TTL.
    pub factor: f64,
    /// Taken off whatever the TTL.
    pub constant: Duration,
}

impl Default for Drift {
    fn default() -> Self {
        Self { factor: 0.01, constant: Duration::from_millis(2) }
    }
}

impl Drift {
    /// What to take off a validity of `ttl`.
    #[must_use]
    pub fn allowance(&self, ttl: Duration) -> Duration {
        ttl.mul_f64(self.factor.max(0.0)) + self.constant
    }
}

/// A TTL as Redis takes it.
///
/// # Errors
/// Definite, for a TTL of zero or of a fraction of a millisecond: sent rounded down it would end before the
/// holder believes (failure mode F24).
pub(crate) fn whole_millis(ttl: Duration) -> Result<u64> {
    let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 || ttl != Duration::from_millis(millis) {
        return Err(LockError::definite(format!(
            "a TTL of {ttl:?} is not a whole number of milliseconds above zero"
        )));
    }
    Ok(millis)
}

/// A TTL as etcd takes it.
///
/// # Errors
/// Definite, for a TTL of zero or of a fraction of a second, as for [`whole_millis`].
pub(crate) fn whole_seconds(ttl: Duration) -> Result<u64> {
    if ttl.as_secs() == 0 || ttl != Duration::from_secs(ttl.as_secs()) {
        return Err(LockError::definite(format!(
            "a TTL of {ttl:?} is not a whole number of seconds above zero"
        )));
    }
    Ok(ttl.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_that_rounding_would_shorten_is_refused() {
        assert_eq!(whole_millis(Duration::from_millis(300)).unwrap(), 300);
        for bad in [Duration::ZERO, Duration::from_micros(1500), Duration::from_nanos(1)] {
            assert!(whole_millis(bad).unwrap_err().is_definite(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_that_is_remembered_is_that_of_the_lock_that_is_asked_for() {
        let settings = LockSettings::default();
        let mut last = LastKey::new(&settings);
        for name in ["a", "a", "b", "", "a"].map(LockName::new) {
            assert_eq!(last.of(&name, &settings), settings.redis_key(&name));
        }
    }

    #[test]
    fn a_name_that_is_a_key_already_stays_as_it_is_and_its_counter_is_no_lock() {
        let settings = LockSettings {
            key_prefix: String::new(),
            keys: KeyNames::Verbatim,
            ..LockSettings::default()
        };
        let lock = LockName::new("booking_lock:{a|b}:2026-05-01:09:00");
        let key = settings.redis_key(&lock);
        assert_eq!(key, lock.as_str());
        assert_eq!(settings.lock_of_redis_key(&LockSettings::fence_key(&key)), None);
        assert_eq!(settings.lock_of_redis_key(&key), Some(lock));
    }

    #[test]
    fn the_allowance_is_one_percent_and_two_milliseconds() {
        assert_eq!(Drift::default().allowance(Duration::from_secs(1)), Duration::from_millis(12));
    }
}

//! The catalog's lock in the hands of requests: a lock id is an owner value, and who shows it is the holder.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_env::Env;
use lockproof_env::live::{entropy, wall_clock_ns};
use lockproof_locks::{
    Acquired, AnyLock, Backends, Driver, Inspect, KeyNames, Lock, LockError, LockSettings, Policy,
    Released, Renewed, Standing, Wait, find,
};
use lockproof_model::{Claim, FencingToken, HolderId, Lease, LockName, OwnerValue};

use crate::config::Config;

/// Drivers kept for later requests.
const IDLE_MAX: usize = 256;
/// Between two tries of what had no effect.
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Locks {
    env: Env,
    lock: AnyLock,
    policy: Policy,
    /// Of a request that certainly had no effect.
    tries: u32,
    /// Of an acquire of which no majority was for anybody.
    split: Option<Wait>,
    idle: Mutex<Vec<Driver>>,
    opened: AtomicU32,
}

/// What an acquire came to.
#[derive(Clone, Debug)]
pub(crate) enum Taken {
    Granted(Grant),
    Held {
        /// For how long yet, as far as could be seen.
        remaining: Option<Duration>,
    },
}

/// A lock that a client has.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) lock: LockName,
    pub(crate) lock_id: String,
    pub(crate) token: Option<FencingToken>,
    pub(crate) ttl: Duration,
    /// Milliseconds since the Unix epoch.
    pub(crate) expires_at: u64,
}

/// Why a lock id is not the holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotHeld {
    /// Nobody has the lock.
    NotFound,
    /// Somebody else does.
    Mismatch,
}

impl NotHeld {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "lock_not_found",
            Self::Mismatch => "lock_mismatch",
        }
    }

    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::NotFound => "the lock has ended or never was; acquire it again",
            Self::Mismatch => "somebody else has the lock",
        }
    }
}

impl Locks {
    pub(crate) fn new(config: &Config, backends: Arc<dyn Backends>, env: &Env) -> Self {
        let settings = LockSettings {
            key_prefix: String::new(),
            keys: KeyNames::Verbatim,
            draw_tokens: config.guard.needs_token,
            drift: config.drift,
            ..LockSettings::default()
        };
        let name = if config.is_redlock() { "redlock" } else { "redis-set-nx" };
        let entry = find(name).expect("the catalog has it");
        let policy = Policy { ttl: config.lock_ttl, wait: Wait::NEVER, drift: config.drift };
        let delay = config.redlock_delay;
        let split = Wait { tries: config.redlock_tries, delay, jitter: delay };
        Self {
            env: env.clone(),
            lock: (entry.build)(settings, backends, env.clone()),
            policy,
            tries: config.redis_tries,
            split: config.is_redlock().then_some(split),
            idle: Mutex::default(),
            opened: AtomicU32::new(0),
        }
    }

    /// One attempt; under Redlock as many as it takes for a majority to be for anybody.
    pub(crate) async fn acquire(&self, lock: &LockName, ttl: Duration) -> Result<Taken, LockError> {
        self.acquire_waiting(lock, ttl, Wait::NEVER).await
    }

    /// The same for as long as `wait` says while somebody else has it.
    pub(crate) async fn acquire_waiting(
        &self,
        lock: &LockName,
        ttl: Duration,
        wait: Wait,
    ) -> Result<Taken, LockError> {
        let (mut tried, mut split) = (0, 0);
        loop {
            tried += 1;
            // A value used twice would let the release of the first match the second.
            let claim = Claim { lock: lock.clone(), owner: OwnerValue::new(&uuid(&self.env)) };
            if let Acquired::Granted(lease) = self.claim(&claim, ttl).await? {
                return Ok(Taken::Granted(granted(&lease, ttl)));
            }
            let standing = self.standing(lock).await?;
            let pause = match (&standing, self.split) {
                (None, Some(again)) if split + 1 < again.tries => {
                    split += 1;
                    again
                }
                _ if tried < wait.tries => wait,
                _ => {
                    let remaining = standing.and_then(|standing| standing.remaining);
                    return Ok(Taken::Held { remaining });
                }
            };
            self.env.sleep(pause.delay + self.env.random().up_to(pause.jitter)).await;
        }
    }

    /// Whether `lock_id` has the lock.
    pub(crate) async fn verify(
        &self,
        lock: &LockName,
        lock_id: &str,
    ) -> Result<Result<Standing, NotHeld>, LockError> {
        Ok(match self.standing(lock).await? {
            Some(standing) if standing.owner.as_str() == lock_id => Ok(standing),
            Some(_) => Err(NotHeld::Mismatch),
            None => Err(NotHeld::NotFound),
        })
    }

    /// Makes the lock last for `ttl` from now, if it is `lock_id`'s.
    pub(crate) async fn refresh(
        &self,
        lock: &LockName,
        lock_id: &str,
        ttl: Duration,
    ) -> Result<Result<Grant, NotHeld>, LockError> {
        let mut lease = self.lease(lock, lock_id);
        let mut driver = self.driver().await?;
        let renewed = driver.renew_for(&mut lease, ttl).await;
        if self.put_back(driver, renewed)? == Renewed::Extended {
            return Ok(Ok(granted(&lease, ttl)));
        }
        self.why_not(lock).await.map(Err)
    }

    /// Gives the lock back, if it is `lock_id`'s.
    pub(crate) async fn release(
        &self,
        lock: &LockName,
        lock_id: &str,
    ) -> Result<Result<(), NotHeld>, LockError> {
        let lease = self.lease(lock, lock_id);
        let mut driver = self.driver().await?;
        let released = driver.release(lease).await;
        if self.put_back(driver, released)? == Released::Owned {
            return Ok(Ok(()));
        }
        self.why_not(lock).await.map(Err)
    }

    /// Gives back what a request has taken for itself. What cannot be given back is withdrawn in the background, or ends by
    /// its TTL.
    pub(crate) async fn give_back(&self, grants: &[Grant]) {
        for grant in grants.iter().rev() {
            if let Err(error) = self.release(&grant.lock, &grant.lock_id).await {
                tracing::debug!(%error, "a lock is given back in the background");
            }
        }
    }

    pub(crate) async fn standing(&self, lock: &LockName) -> Result<Option<Standing>, LockError> {
        self.inspect().standing(lock).await
    }

    pub(crate) fn inspect(&self) -> &dyn Inspect {
        self.lock.inspect().expect("both locks of the service can be looked at")
    }

    async fn claim(&self, claim: &Claim, ttl: Duration) -> Result<Acquired, LockError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = async {
                let mut driver = self.driver().await?;
                let claimed = driver.claim(claim, ttl).await;
                self.put_back(driver, claimed)
            };
            match answer.await {
                // Only what certainly had no effect is tried again.
                Err(error) if error.is_definite() && tried < self.tries => {
                    self.env.sleep(PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    async fn why_not(&self, lock: &LockName) -> Result<NotHeld, LockError> {
        let standing = self.standing(lock).await?;
        Ok(if standing.is_some() { NotHeld::Mismatch } else { NotHeld::NotFound })
    }

    /// What a client's word stands for: whether it still does is the backend's to say.
    fn lease(&self, lock: &LockName, lock_id: &str) -> Lease {
        let claim = Claim { lock: lock.clone(), owner: OwnerValue::new(lock_id) };
        let now = self.env.now();
        Lease::bounded(claim, now, now, self.policy.ttl)
    }

    async fn driver(&self) -> Result<Driver, LockError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(driver) = idle {
            return Ok(driver);
        }
        let holder = HolderId(self.opened.fetch_add(1, Ordering::Relaxed));
        Driver::open(self.env.clone(), &self.lock, holder, self.policy, entropy()).await
    }

    /// Keeps the driver for the next, unless something is wrong: then what the others hold may be a connection that is
    /// broken as well, and each would find out by a request that fails.
    fn put_back<T>(&self, driver: Driver, answer: Result<T, LockError>) -> Result<T, LockError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(_) if idle.len() < IDLE_MAX => idle.push(driver),
            Ok(_) => {}
            Err(_) => idle.clear(),
        }
        answer
    }
}

fn granted(lease: &Lease, ttl: Duration) -> Grant {
    Grant {
        lock: lease.claim.lock.clone(),
        lock_id: lease.claim.owner.as_str().to_owned(),
        token: lease.fencing_token,
        ttl,
        expires_at: now_ms().saturating_add(millis(ttl)),
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    wall_clock_ns() / 1_000_000
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A UUID of version 4. It proves ownership, so the operating system has a part in it whatever the seed.
pub(crate) fn uuid(env: &Env) -> String {
    let salt = u128::from(entropy()) << 64 | u128::from(entropy());
    let bits = env.random().wide_bits() ^ salt;
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_uuid_is_of_version_4_and_new_each_time() {
        let env = lockproof_env::live::env(1);
        let (one, other) = (uuid(&env), uuid(&env));
        assert!(crate::fields::is_uuid(&one) && one != other, "{one}");
        assert_eq!((&one[14..15], "89ab".contains(&one[19..20])), ("4", true), "{one}");
    }
}

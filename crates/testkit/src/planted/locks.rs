//! Locks on one Redis server, each with one bug that nobody ships: those that people do are controls of the catalog.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_locks::{
    Acquired, AnyLock, Backends, Lock, LockEntry, LockError, LockSession, LockSettings, Needs,
    RedisConnection, Released, Renewed, Result, Tokens,
};
use lockproof_model::{Claim, FencingToken, HolderId, Lease, LockName};
use redis::{FromRedisValue, Script, cmd};

/// A lock with a bug, and the trials that must find it.
#[derive(Clone, Copy, Debug)]
pub struct PlantedLock {
    /// The lock, as a strategy names it.
    pub entry: &'static LockEntry,
    /// Names of [conformance trials](crate::conformance::locks) that must fail on it.
    pub rejected_by: &'static [&'static str],
}

/// Every planted lock.
pub const LOCKS: &[PlantedLock] = &[
    PlantedLock {
        entry: &NO_EXCLUSION,
        rejected_by: &[
            "a_second_claim_is_held_while_the_first_stands",
            "at_most_one_of_concurrent_claims_is_granted",
        ],
    },
    PlantedLock {
        entry: &REPEATED_TOKENS,
        rejected_by: &["tokens_strictly_increase_with_every_grant"],
    },
    PlantedLock {
        entry: &IMMORTAL,
        rejected_by: &["a_grant_ends_by_itself_and_not_before_its_validity"],
    },
];

/// Grants everyone, and says that it is a lease.
pub static NO_EXCLUSION: LockEntry =
    planted("no-exclusion", Tokens::None(NONE), |settings, backends, env| {
        build(settings, backends, env, Bug::NoExclusion)
    });

/// Draws the same fencing token with every grant.
pub static REPEATED_TOKENS: LockEntry =
    planted("repeated-tokens", Tokens::Drawn, |settings, backends, env| {
        build(settings, backends, env, Bug::RepeatedTokens)
    });

/// Forgets to send the TTL.
pub static IMMORTAL: LockEntry =
    planted("immortal", Tokens::None(NONE), |settings, backends, env| {
        build(settings, backends, env, Bug::Immortal)
    });

const NONE: &str = "it is a planted bug";

const fn planted(
    name: &'static str,
    tokens: Tokens,
    build: fn(LockSettings, Arc<dyn Backends>, Env) -> AnyLock,
) -> LockEntry {
    let summary = "a planted bug";
    let (needs, control) = (Needs::OneRedis, Some(NONE));
    LockEntry { name, summary, needs, tokens, renews: true, control, build }
}

fn build(settings: LockSettings, backends: Arc<dyn Backends>, env: Env, bug: Bug) -> AnyLock {
    AnyLock::new(Planted { settings, backends, env, bug })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    NoExclusion,
    RepeatedTokens,
    Immortal,
}

#[derive(Debug)]
struct Planted {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    bug: Bug,
}

impl Lock for Planted {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let connection = self.backends.redis(0, holder).await?;
        let (settings, env) = (self.settings.clone(), self.env.clone());
        Ok(Session { settings, env, bug: self.bug, connection })
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    env: Env,
    bug: Bug,
    connection: RedisConnection,
}

const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
const RENEW: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.env.now();
        let mut set = cmd("SET");
        set.arg(self.key(&claim.lock)).arg(claim.owner.as_str());
        if self.bug != Bug::NoExclusion {
            set.arg("NX");
        }
        if self.bug != Bug::Immortal {
            set.arg("PX").arg(millis(ttl)?);
        }
        let Some(()) = self.ask(&set).await? else { return Ok(Acquired::Held) };
        let lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
        Ok(Acquired::Granted(match self.bug {
            Bug::RepeatedTokens => lease.with_fencing_token(FencingToken(7)),
            _ => lease,
        }))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let (invoked, key) = (self.env.now(), self.key(&lease.claim.lock));
        let (owner, millis) = (lease.claim.owner.as_str(), millis(ttl)?);
        if self.run(RENEW, &key, &[owner, &millis.to_string()]).await? != 1 {
            return Ok(Renewed::Lost);
        }
        *lease = Lease {
            fencing_token: lease.fencing_token,
            ..Lease::bounded(lease.claim.clone(), invoked, self.env.now(), ttl)
        };
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let key = self.key(&lease.claim.lock);
        let deleted = self.run(RELEASE, &key, &[lease.claim.owner.as_str()]).await?;
        Ok(if deleted == 1 { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.run(RELEASE, &self.key(&claim.lock), &[claim.owner.as_str()]).await?;
        Ok(())
    }
}

impl Session {
    fn key(&self, lock: &LockName) -> String {
        self.settings.redis_key(lock)
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T> {
        let answer = command.query_async(&mut self.connection).await;
        answer.map_err(|error| LockError::indefinite("redis did not answer").because(error))
    }

    async fn run(&mut self, script: &str, key: &str, arguments: &[&str]) -> Result<i64> {
        let script = Script::new(script);
        let mut call = script.key(key);
        for argument in arguments {
            call.arg(*argument);
        }
        let answer = call.invoke_async(&mut self.connection).await;
        answer.map_err(|error| LockError::indefinite("redis did not answer").because(error))
    }
}

fn millis(ttl: Duration) -> Result<u64> {
    let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 || ttl != Duration::from_millis(millis) {
        return Err(LockError::definite("a TTL is a whole number of milliseconds"));
    }
    Ok(millis)
}

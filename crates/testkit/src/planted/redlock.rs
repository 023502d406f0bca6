//! Redlock with a bug.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lockproof_env::Env;
use lockproof_locks::{
    Acquired, AnyLock, Backends, Lock, LockEntry, LockError, LockSession, LockSettings, Needs,
    Released, Renewed, Result, Tokens,
};
use lockproof_model::{Claim, HolderId, Lease};
use redis::aio::ConnectionLike as _;
use redis::{Cmd, FromRedisValue, cmd};

/// A quorum that fails is left as it stands: what a minority has granted keeps the others out until its TTL ends
/// (failure mode F21).
pub static LITTERING_REDLOCK: LockEntry = LockEntry {
    name: "littering-redlock",
    summary: "a planted bug",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None("it is a planted bug"),
    renews: false,
    control: Some("it is a planted bug"),
    build: |settings, backends, env| AnyLock::new(Littering { settings, backends, env }),
};

#[derive(Debug)]
struct Littering {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
}

impl Lock for Littering {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let (settings, env) = (self.settings.clone(), self.env.clone());
        let session = Session { settings, backends: Arc::clone(&self.backends), env, holder };
        let quorum = session.quorum();
        let reached = session.ask(&cmd("PING"), |_: &String| true).await.answers;
        if reached < quorum {
            return Err(LockError::definite("too few servers could be reached"));
        }
        Ok(session)
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    holder: HolderId,
}

const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.env.now();
        let mut set = cmd("SET");
        set.arg(self.settings.redis_key(&claim.lock)).arg(claim.owner.as_str());
        set.arg("NX").arg("PX").arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        let granted = self.ask(&set, Option::<()>::is_some).await.yes;
        if granted < self.quorum() {
            return Ok(Acquired::Held);
        }
        Ok(Acquired::Granted(Lease::bounded(claim.clone(), invoked, self.env.now(), ttl)))
    }

    async fn renew(&mut self, _lease: &mut Lease, _ttl: Duration) -> Result<Renewed> {
        Err(LockError::definite("it does not renew"))
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let Count { yes, answers } = self.take_back(&lease.claim).await;
        if yes < self.quorum() && answers < self.backends.redis_servers() {
            return Err(LockError::indefinite("a server did not answer"));
        }
        Ok(if yes >= self.quorum() { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        if self.take_back(claim).await.answers < self.backends.redis_servers() {
            return Err(LockError::indefinite("a server did not answer"));
        }
        Ok(())
    }
}

/// What the servers said.
struct Count {
    answers: usize,
    yes: usize,
}

impl Session {
    fn quorum(&self) -> usize {
        self.backends.redis_servers() / 2 + 1
    }

    async fn take_back(&self, claim: &Claim) -> Count {
        let mut eval = cmd("EVAL");
        eval.arg(RELEASE).arg(1).arg(self.settings.redis_key(&claim.lock));
        eval.arg(claim.owner.as_str());
        self.ask(&eval, |deleted: &i64| *deleted == 1).await
    }

    /// Asks all servers, each within its time limit.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd, is_yes: fn(&T) -> bool) -> Count {
        let (env, limit) = (&self.env, self.settings.server_time_limit);
        let ask = |server| async move {
            let answer = async {
                let mut connection = self.backends.redis(server, self.holder).await.ok()?;
                connection.req_packed_command(command).await.ok()
            };
            let value = env.timeout(limit, answer).await.ok()??.extract_error().ok()?;
            T::from_redis_value(value).ok()
        };
        let answers = join_all((0..self.backends.redis_servers()).map(ask)).await;
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        let yes = answers.iter().filter(|answer| is_yes(answer)).count();
        Count { answers: answers.len(), yes }
    }
}

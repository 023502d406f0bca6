//! `SET key owner NX GET PX ttl`: whoever finds their own owner value in the way has the lock.
//!
//! A client library that sends a request again after its answer was lost is told by a plain `SET … NX` that somebody
//! has the lock: its own first request (failure mode F19). `GET` makes the same command answer with the value that it
//! found, so that the second request says whose that is. The options go together since Redis 7.0:
//! <https://redis.io/docs/latest/commands/set/>.
//!
//! What it cannot do: what [`redis-set-nx`](super::redis_set_nx) cannot, whose renewal and release it has.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::settings::whole_millis;
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-set-nx-get",
    summary: "SET NX GET PX on one Redis: a request that was sent twice finds its own owner value, and has the lock",
    needs: Needs::OneRedis,
    tokens: Tokens::None("one plain command draws no counter beside it"),
    renews: true,
    control: None,
    build: |settings, backends, env| AnyLock::new(SetNxGet(RedisSetNx { settings, backends, env })),
};

#[derive(Debug)]
struct SetNxGet(RedisSetNx);

impl Lock for SetNxGet {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        Ok(Session(self.0.open(holder).await?))
    }
}

#[derive(Debug)]
struct Session(SetNx);

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let SetNx { key, settings, link, env } = &mut self.0;
        let owner = claim.owner.as_str();
        let mut set = cmd("SET");
        set.arg(key.of(&claim.lock, settings)).arg(owner);
        set.arg("NX").arg("GET").arg("PX").arg(whole_millis(ttl)?);
        // Taken before the request leaves: whichever of two requests took the lock, its TTL began no earlier.
        let invoked = env.now();
        let found: Option<String> = link.query(&set).await?;
        Ok(match found {
            Some(other) if other != owner => Acquired::Held,
            _ => Acquired::Granted(Lease::bounded(claim.clone(), invoked, env.now(), ttl)),
        })
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        self.0.renew(lease, ttl).await
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        self.0.release(lease).await
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

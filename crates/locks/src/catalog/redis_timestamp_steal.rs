//! A control: the value is the time at which the lock ends, and whoever finds it past deletes it and takes the lock
//! (failure mode F25).
//!
//! The pattern is older than `SET … NX PX` and still copied. <https://redis.io/docs/latest/commands/setnx/> describes it
//! and says what is wrong with it:
//!
//! ```text
//!   C1 reads an expired stamp      C2 reads it too
//!   C1 DEL, SETNX: granted         C2 DEL (of C1's!), SETNX: granted as well
//! ```
//!
//! The owner value stands before the stamp and the release compares it in one step, so that the theft is the only thing
//! wrong here. Time is that of [`Env`], which all holders of a run share: no clock has to be wrong for this.

use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Instant, Lease};
use redis::{Cmd, cmd};

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result, scripts};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-timestamp-steal",
    summary: "SETNX of the time at which it ends; whoever finds that past deletes it and takes it by SETNX",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: false,
    control: Some("two that find one expired stamp delete in turn and both take the lock (F25)"),
    build: |settings, backends, env| {
        AnyLock::new(TimestampSteal(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct TimestampSteal(RedisSetNx);

impl Lock for TimestampSteal {
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
        let key = key.of(&claim.lock, settings);
        let invoked = env.now();
        if link.query::<i64>(&setnx(key, claim, invoked + ttl)).await? == 1 {
            return Ok(granted(claim, invoked, env, ttl));
        }
        let found: Option<String> = link.query(cmd("GET").arg(key)).await?;
        if found.is_none_or(|value| !has_ended(&value, env.now())) {
            return Ok(Acquired::Held);
        }
        let _: i64 = link.query(cmd("DEL").arg(key)).await?;
        let invoked = env.now();
        Ok(match link.query::<i64>(&setnx(key, claim, invoked + ttl)).await? {
            1 => granted(claim, invoked, env, ttl),
            _ => Acquired::Held,
        })
    }

    async fn renew(&mut self, _lease: &mut Lease, _ttl: Duration) -> Result<Renewed> {
        Ok(Renewed::Lost)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let deleted = self.delete(&lease.claim).await?;
        Ok(if deleted == 1 { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.delete(claim).await.map(drop)
    }
}

impl Session {
    async fn delete(&mut self, claim: &Claim) -> Result<i64> {
        let SetNx { key, settings, link, .. } = &mut self.0;
        let (keys, arguments) = ([key.of(&claim.lock, settings)], [claim.owner.as_str()]);
        link.run(&scripts::RELEASE_STAMPED.call(&keys, &arguments)).await
    }
}

fn setnx(key: &str, claim: &Claim, ends: Instant) -> Cmd {
    let mut setnx = cmd("SETNX");
    setnx.arg(key).arg(format!("{} {}", claim.owner.as_str(), ends.as_nanos()));
    setnx
}

fn granted(claim: &Claim, invoked: Instant, env: &Env, ttl: Duration) -> Acquired {
    Acquired::Granted(Lease::bounded(claim.clone(), invoked, env.now(), ttl))
}

/// A value without a stamp is somebody else's, and is left alone.
fn has_ended(value: &str, now: Instant) -> bool {
    let stamp = value.split_once(' ').and_then(|(_, ends)| ends.parse::<u64>().ok());
    stamp.is_some_and(|ends| ends < now.as_nanos())
}

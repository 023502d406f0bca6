//! A control: `SETNX`, then `EXPIRE` as a second command (failure mode F17).
//!
//! A holder that dies between the two, or whose second command is lost, leaves a lock that never ends. Everything else
//! is [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::settings::whole_millis;
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-setnx-expire",
    summary: "SETNX and then PEXPIRE on one Redis, released by compare-and-delete",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("a holder that dies between its two commands leaves a lock for ever (F17)"),
    build: |settings, backends, env| {
        AnyLock::new(SetnxExpire(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct SetnxExpire(RedisSetNx);

impl Lock for SetnxExpire {
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
        let millis = whole_millis(ttl)?;
        let mut setnx = cmd("SETNX");
        setnx.arg(key).arg(claim.owner.as_str());
        if link.query::<i64>(&setnx).await? == 0 {
            return Ok(Acquired::Held);
        }
        // The TTL counts from here, so that the validity is right where nothing goes wrong in between.
        let invoked = env.now();
        let mut expire = cmd("PEXPIRE");
        expire.arg(key).arg(millis);
        let _: i64 = link.query(&expire).await?;
        Ok(Acquired::Granted(Lease::bounded(claim.clone(), invoked, env.now(), ttl)))
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

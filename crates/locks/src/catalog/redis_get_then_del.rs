//! A control: the owner value is compared by the client, between a `GET` and a `DEL` (failure mode F10).
//!
//! The lease may end between the two, and the next holder's lock is deleted all the same. Everything else is
//! [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-get-then-del",
    summary: "SET NX PX on one Redis, released by GET, a comparison and DEL",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("between its GET and its DEL the lock may become the next holder's (F10)"),
    build: |settings, backends, env| {
        AnyLock::new(GetThenDel(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct GetThenDel(RedisSetNx);

impl Lock for GetThenDel {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        Ok(Session(self.0.open(holder).await?))
    }
}

#[derive(Debug)]
struct Session(SetNx);

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        self.0.acquire(claim, ttl).await
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        self.0.renew(lease, ttl).await
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let SetNx { key, settings, link, .. } = &mut self.0;
        let key = key.of(&lease.claim.lock, settings);
        let mut get = cmd("GET");
        get.arg(key);
        let owner: Option<String> = link.query(&get).await?;
        if owner.as_deref() != Some(lease.claim.owner.as_str()) {
            return Ok(Released::Lost);
        }
        let mut del = cmd("DEL");
        del.arg(key);
        let deleted: i64 = link.query(&del).await?;
        Ok(if deleted == 1 { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

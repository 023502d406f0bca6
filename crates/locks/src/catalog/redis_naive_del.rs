//! A control: the lock is given back by `DEL`, whoever has it by then (failure mode F09).
//!
//! A holder whose lease ended deletes the lock of its successor, and a third one goes in beside that. Everything else
//! is [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-naive-del",
    summary: "SET NX PX on one Redis, released by DEL without a look at the owner",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("a late release takes the lock of the next holder away (F09)"),
    build: |settings, backends, env| AnyLock::new(NaiveDel(RedisSetNx { settings, backends, env })),
};

#[derive(Debug)]
struct NaiveDel(RedisSetNx);

impl Lock for NaiveDel {
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
        let mut del = cmd("DEL");
        del.arg(key.of(&lease.claim.lock, settings));
        let deleted: i64 = link.query(&del).await?;
        Ok(if deleted == 1 { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

//! A control: an acquire whose answer was lost counts as one that did not happen (failure modes F18 and F22).
//!
//! The server has the lock, nobody knows, and everybody waits until its TTL ends. What is left out is the withdrawal by
//! owner value; everything else is [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-no-withdraw",
    summary: "SET NX PX on one Redis; what became of a lost acquire is left to the TTL",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("an acquire whose answer was lost leaves an orphaned lock (F18, F22)"),
    build: |settings, backends, env| {
        AnyLock::new(NoWithdraw(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct NoWithdraw(RedisSetNx);

impl Lock for NoWithdraw {
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
        self.0.release(lease).await
    }

    async fn withdraw(&mut self, _claim: &Claim) -> Result<()> {
        Ok(())
    }
}

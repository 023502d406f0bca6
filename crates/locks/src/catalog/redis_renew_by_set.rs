//! A control: a lease is renewed by `SET`, whoever has the lock by then (failure mode F41).
//!
//! A renewal that comes after the TTL takes the lock from the next holder, or raises one from the dead that nobody has.
//! Everything else is [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::settings::whole_millis;
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-renew-by-set",
    summary: "SET NX PX on one Redis, renewed by SET PX without a look at the owner",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("a late renewal takes the lock of the next holder (F41)"),
    build: |settings, backends, env| {
        AnyLock::new(RenewBySet(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct RenewBySet(RedisSetNx);

impl Lock for RenewBySet {
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
        let invoked = self.0.env.now();
        let SetNx { key, settings, link, .. } = &mut self.0;
        let mut set = cmd("SET");
        set.arg(key.of(&lease.claim.lock, settings)).arg(lease.claim.owner.as_str());
        set.arg("PX").arg(whole_millis(ttl)?);
        let (): () = link.query(&set).await?;
        lease.invoked = invoked;
        lease.granted = self.0.env.now();
        lease.ttl = Some(ttl);
        lease.valid_until = invoked + ttl;
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        self.0.release(lease).await
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

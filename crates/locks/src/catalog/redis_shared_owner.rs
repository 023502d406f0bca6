//! A control: every holder has the same owner value (failure mode F11).
//!
//! A process id where each holder has a container of its own, a constant, a host's name: the comparison before the
//! deletion compares equal, and a late release takes the lock of the next holder away as `DEL` would. Everything else is
//! [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease, OwnerValue};

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-shared-owner",
    summary: "SET NX PX on one Redis, released by a comparison with a value that all holders have",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some(
        "a late release takes the lock of the next holder away, since owners are equal (F11)",
    ),
    build: |settings, backends, env| {
        AnyLock::new(SharedOwner(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct SharedOwner(RedisSetNx);

impl Lock for SharedOwner {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        Ok(Session(self.0.open(holder).await?))
    }
}

#[derive(Debug)]
struct Session(SetNx);

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        self.0.acquire(&shared(claim), ttl).await
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        lease.claim = shared(&lease.claim);
        self.0.renew(lease, ttl).await
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        self.0.release(Lease { claim: shared(&lease.claim), ..lease }).await
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(&shared(claim)).await
    }
}

/// The claim as everybody makes it.
fn shared(claim: &Claim) -> Claim {
    Claim { lock: claim.lock.clone(), owner: OwnerValue::new("pid-1") }
}

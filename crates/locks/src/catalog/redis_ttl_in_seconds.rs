//! A control: the TTL is cut to whole seconds, and a TTL of none is none at all (failure mode F24).
//!
//! `Duration::as_secs` of 1.5 s is 1, so the server ends the lock while its holder still trusts it; of 500 ms it is 0,
//! and a library that takes 0 for "no TTL" locks for ever. Everything else is
//! [`redis-set-nx`](super::redis_set_nx)'s.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-ttl-in-seconds",
    summary: "SET NX EX on one Redis, the TTL cut to whole seconds",
    needs: Needs::OneRedis,
    tokens: Tokens::None("a control; its shape is the one that people ship"),
    renews: true,
    control: Some("the lock ends before its holder believes, or never (F24)"),
    build: |settings, backends, env| {
        AnyLock::new(TtlInSeconds(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct TtlInSeconds(RedisSetNx);

impl Lock for TtlInSeconds {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        Ok(Session(self.0.open(holder).await?))
    }
}

#[derive(Debug)]
struct Session(SetNx);

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.0.env.now();
        let SetNx { key, settings, link, .. } = &mut self.0;
        let mut set = cmd("SET");
        set.arg(key.of(&claim.lock, settings)).arg(claim.owner.as_str()).arg("NX");
        if ttl.as_secs() > 0 {
            set.arg("EX").arg(ttl.as_secs());
        }
        let answer: Option<()> = link.query(&set).await?;
        Ok(match answer {
            Some(()) => {
                let granted = self.0.env.now();
                Acquired::Granted(Lease::bounded(claim.clone(), invoked, granted, ttl))
            }
            None => Acquired::Held,
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

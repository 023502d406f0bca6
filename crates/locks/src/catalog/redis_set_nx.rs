//! One key on one Redis server: `SET key owner NX PX ttl`, and compare-and-delete to release.
//!
//! The algorithm is the single-instance one of
//! <https://redis.io/docs/latest/develop/use/patterns/distributed-locks/>. Where the guard needs a fencing
//! token, taking the lock and `INCR` of a counter beside it are one script. The counter is as durable as the
//! server is, which is failure mode F56.
//!
//! What it cannot do: know that its holder was paused past the TTL, or that the server lost the key.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::{Claim, FencingToken, HolderId, Instant, Lease, LockName, OwnerValue};
use redis::Cmd;

use super::{LockEntry, Needs, Tokens};
use crate::inspect::Look;
use crate::redis_link::RedisLink;
use crate::settings::{LastKey, whole_millis};
use crate::{
    Acquired, AnyLock, Backends, Inspect, Lock, LockSession, LockSettings, Released, Renewed,
    Result, Standing, scripts,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-set-nx",
    summary: "SET NX PX on one Redis, released by compare-and-delete",
    needs: Needs::OneRedis,
    tokens: Tokens::Drawn,
    renews: true,
    control: None,
    build: |settings, backends, env| AnyLock::new(RedisSetNx { settings, backends, env }),
};

/// The lock, for the controls too, each of which does one thing otherwise.
#[derive(Debug)]
pub(super) struct RedisSetNx {
    pub(super) settings: LockSettings,
    pub(super) backends: Arc<dyn Backends>,
    pub(super) env: Env,
}

impl Lock for RedisSetNx {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let mut link =
            RedisLink::new(&self.backends, 0, holder, &self.env, self.settings.time_limit);
        link.open().await?;
        Ok(Session {
            key: LastKey::new(&self.settings),
            settings: self.settings.clone(),
            env: self.env.clone(),
            link,
        })
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }
}

impl Inspect for RedisSetNx {
    fn standing<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Option<Standing>>> {
        async move { self.look().standing(lock).await }.boxed()
    }

    fn active<'a>(
        &'a self,
        pattern: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(LockName, Standing)>>> {
        async move {
            let mut look = self.look();
            let mut active = Vec::new();
            for lock in look.names(pattern, limit).await? {
                // One that has ended since it was found is not active.
                if let Some(standing) = look.standing(&lock).await? {
                    active.push((lock, standing));
                }
            }
            Ok(active)
        }
        .boxed()
    }

    fn force_release<'a>(
        &'a self,
        lock: &'a LockName,
    ) -> BoxFuture<'a, Result<Option<OwnerValue>>> {
        async move { self.look().force_release(lock).await }.boxed()
    }

    fn evicts(&self) -> BoxFuture<'_, Result<Option<String>>> {
        async move { self.look().evicts().await }.boxed()
    }
}

impl RedisSetNx {
    fn look(&self) -> Look {
        Look::at(&self.backends, 0, &self.env, &self.settings, self.settings.time_limit)
    }
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) settings: LockSettings,
    pub(super) key: LastKey,
    pub(super) env: Env,
    pub(super) link: RedisLink,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.env.now();
        if self.settings.draw_tokens {
            // Boxed, since a future is as large as its largest branch, and one is made for every request.
            Box::pin(self.acquire_with_token(claim, ttl, invoked)).await
        } else {
            self.acquire_plain(claim, ttl, invoked).await
        }
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let invoked = self.env.now();
        let key = self.key.of(&lease.claim.lock, &self.settings);
        let millis = whole_millis(ttl)?.to_string();
        let (keys, arguments) = ([key], [lease.claim.owner.as_str(), &millis]);
        if self.link.run::<i64>(&scripts::RENEW.call(&keys, &arguments)).await? != 1 {
            return Ok(Renewed::Lost);
        }
        lease.invoked = invoked;
        lease.granted = self.env.now();
        lease.ttl = Some(ttl);
        lease.valid_until = invoked + ttl;
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let key = self.key.of(&lease.claim.lock, &self.settings);
        let (keys, arguments) = ([key], [lease.claim.owner.as_str()]);
        let deleted: i64 = self.link.run(&scripts::RELEASE.call(&keys, &arguments)).await?;
        Ok(if deleted == 1 { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        let key = self.key.of(&claim.lock, &self.settings);
        let (keys, arguments) = ([key], [claim.owner.as_str()]);
        let _: i64 = self.link.run(&scripts::RELEASE.call(&keys, &arguments)).await?;
        Ok(())
    }
}

impl Session {
    async fn acquire_plain(
        &mut self,
        claim: &Claim,
        ttl: Duration,
        invoked: Instant,
    ) -> Result<Acquired> {
        let set = set_nx(self.key.of(&claim.lock, &self.settings), claim, whole_millis(ttl)?);
        let answer: Option<()> = self.link.query(&set).await?;
        Ok(match answer {
            Some(()) => {
                Acquired::Granted(Lease::bounded(claim.clone(), invoked, self.env.now(), ttl))
            }
            None => Acquired::Held,
        })
    }

    async fn acquire_with_token(
        &mut self,
        claim: &Claim,
        ttl: Duration,
        invoked: Instant,
    ) -> Result<Acquired> {
        let key = self.key.of(&claim.lock, &self.settings);
        let fence = LockSettings::fence_key(key);
        let millis = whole_millis(ttl)?.to_string();
        let (keys, arguments) = ([key, &fence], [claim.owner.as_str(), &millis]);
        let call = scripts::ACQUIRE_WITH_TOKEN.call(&keys, &arguments);
        let token: Option<u64> = self.link.run(&call).await?;
        Ok(match token {
            Some(token) => Acquired::Granted(
                Lease::bounded(claim.clone(), invoked, self.env.now(), ttl)
                    .with_fencing_token(FencingToken(token)),
            ),
            None => Acquired::Held,
        })
    }
}

/// Digits of the longest TTL.
const LONGEST_NUMBER: usize = 20;

/// `SET key owner NX PX ttl`.
pub(super) fn set_nx(key: &str, claim: &Claim, ttl_millis: u64) -> Cmd {
    let owner = claim.owner.as_str();
    // Grown word by word, a command is moved five times before it is sent.
    let bytes = "SETNXPX".len() + key.len() + owner.len() + LONGEST_NUMBER;
    let mut set = Cmd::with_capacity(6, bytes);
    set.arg("SET").arg(key).arg(owner).arg("NX").arg("PX").arg(ttl_millis);
    set
}

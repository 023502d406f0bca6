//! A control: advisory locks of a session behind a pooler of transactions (failure mode F46).
//!
//! A pooler in transaction mode gives each transaction, and so each statement outside of one, whichever server session is
//! free. Here the application's holders share two, and each statement goes to the next of them. The lock is taken in one
//! session and given back in the other: `pg_advisory_unlock` says *false*, which nobody looks at, and the lock stays for as
//! long as the pooler keeps the session. Until then everybody who comes to the other session waits, and whoever comes to
//! the same is granted what somebody has.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Lease};
use tokio::sync::Mutex as AsyncMutex;

use super::pg_advisory_session::NO_TOKENS;
use super::{LockEntry, Needs};
use crate::database::{answer, open_session};
use crate::{
    Acquired, AnyLock, Backends, DatabaseSession, InDatabase, Lock, LockSession, LockSettings,
    Released, Renewed, Result,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "pg-advisory-pooled",
    summary: "session advisory locks in whichever of two sessions is next, as behind a pooler of transactions",
    needs: Needs::Database(InDatabase::AdvisoryLocks),
    tokens: NO_TOKENS,
    renews: false,
    control: Some("given back in another session than it was taken in, and taken twice (F46)"),
    build: |settings, backends, env| AnyLock::new(Pooled::new(2, settings, backends, env)),
};

/// A lock whose holders share sessions, for another control too.
#[derive(Debug)]
pub(super) struct Pooled {
    settings: LockSettings,
    env: Env,
    pool: Arc<AsyncMutex<Pool>>,
}

impl Pooled {
    /// With so many sessions.
    pub(super) fn new(
        size: usize,
        settings: LockSettings,
        backends: Arc<dyn Backends>,
        env: Env,
    ) -> Self {
        let sessions = std::iter::repeat_with(|| None).take(size).collect();
        let limit = settings.time_limit;
        let pool = Pool { backends, env: env.clone(), limit, sessions, next: 0 };
        Self { settings, env, pool: Arc::new(AsyncMutex::new(pool)) }
    }
}

impl Lock for Pooled {
    type Session = Client;

    async fn open(&self, holder: HolderId) -> Result<Client> {
        let pool = Arc::clone(&self.pool);
        let client =
            Client { settings: self.settings.clone(), env: self.env.clone(), holder, pool };
        client.pool.lock().await.any(holder).await?;
        Ok(client)
    }
}

/// The sessions, opened by whoever needs them first.
#[derive(Debug)]
struct Pool {
    backends: Arc<dyn Backends>,
    env: Env,
    limit: Duration,
    sessions: Vec<Option<Box<dyn DatabaseSession>>>,
    next: usize,
}

impl Pool {
    /// The session whose turn it is.
    async fn next(&mut self, holder: HolderId) -> Result<&mut dyn DatabaseSession> {
        let session = self.next;
        self.next = (self.next + 1) % self.sessions.len();
        self.live(session, holder).await
    }

    /// The same without its having been a turn.
    async fn any(&mut self, holder: HolderId) -> Result<&mut dyn DatabaseSession> {
        self.live(self.next, holder).await
    }

    async fn live(&mut self, which: usize, holder: HolderId) -> Result<&mut dyn DatabaseSession> {
        let session = &mut self.sessions[which];
        let live = match session.take_if(|session| !session.is_closed()) {
            Some(live) => live,
            None => open_session(&self.backends, &self.env, self.limit, holder).await?,
        };
        Ok(session.insert(live).as_mut())
    }
}

/// What a holder has of the pool.
#[derive(Debug)]
pub(super) struct Client {
    settings: LockSettings,
    env: Env,
    holder: HolderId,
    pool: Arc<AsyncMutex<Pool>>,
}

impl Client {
    async fn unlock(&self, claim: &Claim) -> Result<bool> {
        let name = self.settings.plain_key(&claim.lock);
        let mut pool = self.pool.lock().await;
        let asked = pool.next(self.holder).await?.unlock(&name);
        answer(&self.env, self.settings.time_limit, asked).await
    }
}

impl LockSession for Client {
    async fn acquire(&mut self, claim: &Claim, _ttl: Duration) -> Result<Acquired> {
        let name = self.settings.plain_key(&claim.lock);
        let mut pool = self.pool.lock().await;
        let invoked = self.env.now();
        let asked = pool.next(self.holder).await?.try_lock(&name);
        if !answer(&self.env, self.settings.time_limit, asked).await? {
            return Ok(Acquired::Held);
        }
        Ok(Acquired::Granted(Lease::unbounded(claim.clone(), invoked, self.env.now())))
    }

    async fn renew(&mut self, _lease: &mut Lease, _ttl: Duration) -> Result<Renewed> {
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let given = self.unlock(&lease.claim).await?;
        Ok(if given { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.unlock(claim).await.map(drop)
    }
}

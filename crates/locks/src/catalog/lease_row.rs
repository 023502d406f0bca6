//! A row of the bookings' database per lock: who has it, until when by the *database's* clock, and a token.
//!
//! ```sql
//! INSERT INTO leases (lock, owner, expires, token) VALUES ($lock, $owner, now + $ttl, 1)
//! ON CONFLICT (lock) DO UPDATE SET owner = $owner, expires = now + $ttl, token = leases.token + 1
//!     WHERE leases.expires < now RETURNING token
//! ```
//!
//! - Taking it is that one statement, so that of two that find an expired row one waits for the other, looks again and
//!   finds it held. Read first and written afterwards both would have it (as in failure mode F25).
//! - One clock decides, so that holders need not agree about the time; its control `lease-row-client-time` is what comes of
//!   asking theirs (F35). A jump of the database's clock still ends leases early.
//! - Renewing and giving back compare the owner and the end: what has ended stays so.
//! - A released row stays, with its token: tokens only rise, are as durable as the bookings, and fence.
//!
//! What it cannot do: know that its holder was paused past the TTL (F01). It costs a write transaction per grant.
//!
//! A holder has one session, so that a withdrawal is executed after the request that it undoes. Where that session was lost
//! with the request on its way, the withdrawal goes over another one and may overtake it: then the TTL ends the claim.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, FencingToken, HolderId, Instant, Lease, LeaseChange};
use tokio::sync::Mutex as AsyncMutex;

use super::{LockEntry, Needs, Tokens};
use crate::database::{answer, open_session};
use crate::settings::whole_millis;
use crate::shared_clients::SharedClients;
use crate::{
    Acquired, AnyLock, Backends, DatabaseSession, InDatabase, Lock, LockSession, LockSettings,
    Released, Renewed, Result,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "lease-row",
    summary: "a row per lock in the bookings' database: owner, end by its clock, a token that only rises",
    needs: Needs::Database(InDatabase::Leases),
    tokens: Tokens::Drawn,
    renews: true,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(LeaseRow::new(settings, backends, env, |_, _, _| None))
    },
};

/// Whose time decides whether a lease has ended: that of a holder, from the true one and a TTL, or the database's.
type Clock = fn(HolderId, Instant, Duration) -> Option<Instant>;

/// The lock, for the control too.
#[derive(Debug)]
pub(super) struct LeaseRow {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    clock: Clock,
    clients: SharedClients<Client>,
}

impl LeaseRow {
    pub(super) fn new(
        settings: LockSettings,
        backends: Arc<dyn Backends>,
        env: Env,
        clock: Clock,
    ) -> Self {
        Self { settings, backends, env, clock, clients: SharedClients::default() }
    }
}

impl Lock for LeaseRow {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let Self { settings, backends, env, clock, clients } = self;
        let client = clients.of(holder, || Client {
            backends: Arc::clone(backends),
            env: env.clone(),
            limit: settings.time_limit,
            holder,
            session: None,
        });
        client.lock().await.live().await?;
        let (settings, env, clock) = (settings.clone(), env.clone(), *clock);
        Ok(Session { settings, env, holder, clock, client, last_ttl: Duration::ZERO })
    }
}

/// A holder's session at the database, dialled again by the next request after it was lost: a lease outlives it.
#[derive(Debug)]
struct Client {
    backends: Arc<dyn Backends>,
    env: Env,
    limit: Duration,
    holder: HolderId,
    session: Option<Box<dyn DatabaseSession>>,
}

impl Client {
    async fn live(&mut self) -> Result<&mut dyn DatabaseSession> {
        let session = match self.session.take_if(|session| !session.is_closed()) {
            Some(session) => session,
            None => open_session(&self.backends, &self.env, self.limit, self.holder).await?,
        };
        Ok(self.session.insert(session).as_mut())
    }
}

#[derive(Debug)]
pub(super) struct Session {
    settings: LockSettings,
    env: Env,
    holder: HolderId,
    clock: Clock,
    client: Arc<AsyncMutex<Client>>,
    /// The one that was last asked for, which a wrong clock is wrong in terms of.
    last_ttl: Duration,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        whole_millis(ttl)?;
        self.last_ttl = ttl;
        let invoked = self.env.now();
        let Some(token) = self.change(claim, LeaseChange::Take { ttl }).await? else {
            return Ok(Acquired::Held);
        };
        let lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
        Ok(Acquired::Granted(if self.settings.draw_tokens {
            lease.with_fencing_token(token)
        } else {
            lease
        }))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        whole_millis(ttl)?;
        self.last_ttl = ttl;
        let invoked = self.env.now();
        if self.change(&lease.claim, LeaseChange::Renew { ttl }).await?.is_none() {
            return Ok(Renewed::Lost);
        }
        lease.invoked = invoked;
        lease.granted = self.env.now();
        lease.ttl = Some(ttl);
        lease.valid_until = invoked + ttl;
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let ended = self.change(&lease.claim, LeaseChange::End).await?;
        Ok(if ended.is_some() { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.change(claim, LeaseChange::End).await.map(drop)
    }
}

impl Session {
    async fn change(&mut self, claim: &Claim, change: LeaseChange) -> Result<Option<FencingToken>> {
        let name = self.settings.plain_key(&claim.lock);
        let now = (self.clock)(self.holder, self.env.now(), self.last_ttl);
        let mut client = self.client.lock().await;
        let asked = client.live().await?.change_lease(&name, &claim.owner, change, now);
        answer(&self.env, self.settings.time_limit, asked).await
    }
}

//! Locks that belong to a database session and have no end of their own.
//!
//! 1. A holder has one session for its locks, and asks in it: `pg_try_advisory_lock(key)`, `GET_LOCK(name, 0)`. The answer
//!    is the session's: held twice by one session it was granted twice (failure mode F47), so a claim is noted before
//!    anything is sent, and a second one on the same lock is refused without being asked for.
//! 2. Nothing ends the lock but giving it back in the same session, or the end of the session. There is no TTL: a holder
//!    that is paused keeps everybody waiting (and is not overtaken, F01), one that dies lets go with its connection, one
//!    that is cut off only when the server gives its connection up (F50).
//! 3. What the holder is *not* told is that the server ended its session (F49): the lock is somebody else's by then, and a
//!    booking that is written in another session stands.
//!
//! An acquire whose answer is unknown stays noted, so that whatever the session holds by it is not granted again, and is
//! undone by giving the lock back in the same session, behind it. Where the session does not answer it is ended, unless
//! other locks are held in it: those must not be lost for one that perhaps was never taken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Lease, OwnerValue};
use tokio::sync::Mutex as AsyncMutex;

use crate::database::{answer, open_session};
use crate::shared_clients::SharedClients;
use crate::{
    Acquired, Backends, DatabaseSession, Lock, LockError, LockSession, LockSettings, Released,
    Renewed, Result,
};

/// What a lock's name in the database is made of.
pub(crate) type Naming = fn(&str) -> String;

/// The lock.
#[derive(Debug)]
pub(crate) struct SessionLock {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    naming: Naming,
    clients: SharedClients<Client>,
}

impl SessionLock {
    /// Locks by whatever `naming` makes of their names.
    pub(crate) fn new(
        settings: LockSettings,
        backends: Arc<dyn Backends>,
        env: Env,
        naming: Naming,
    ) -> Self {
        Self { settings, backends, env, naming, clients: SharedClients::default() }
    }
}

impl Lock for SessionLock {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let client = self.clients.of(holder, Client::default);
        let (backends, env) = (Arc::clone(&self.backends), self.env.clone());
        let (settings, naming) = (self.settings.clone(), self.naming);
        let session = Session { settings, backends, env, holder, naming, client };
        session.client.lock().await.live(&session).await?;
        Ok(session)
    }
}

/// A holder's session, and what it has asked for in it.
#[derive(Debug, Default)]
struct Client {
    session: Option<Box<dyn DatabaseSession>>,
    /// By the lock's name: from before it was asked for until it has certainly been given back.
    claims: BTreeMap<String, OwnerValue>,
}

impl Client {
    /// The session that stands, with whatever is claimed in it.
    fn standing(&mut self) -> Option<&mut dyn DatabaseSession> {
        if self.session.as_ref().is_none_or(|session| session.is_closed()) {
            // Its locks have ended with it.
            self.end();
        }
        match &mut self.session {
            Some(session) => Some(session.as_mut()),
            None => None,
        }
    }

    /// The same, or a new one. Nothing has been asked when this fails.
    async fn live(&mut self, of: &Session) -> Result<&mut dyn DatabaseSession> {
        if self.standing().is_none() {
            let limit = of.settings.time_limit;
            self.session = Some(open_session(&of.backends, &of.env, limit, of.holder).await?);
        }
        self.standing().ok_or_else(|| LockError::definite("the database ended a new session"))
    }

    fn end(&mut self) {
        self.session = None;
        self.claims.clear();
    }

    fn is_of(&self, name: &str, owner: &OwnerValue) -> bool {
        self.claims.get(name) == Some(owner)
    }
}

#[derive(Debug)]
pub(crate) struct Session {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    holder: HolderId,
    naming: Naming,
    client: Arc<AsyncMutex<Client>>,
}

impl Session {
    /// What `claim` is noted by, and what it is called in the database.
    fn names(&self, claim: &Claim) -> (String, String) {
        let name = self.settings.plain_key(&claim.lock);
        let called = (self.naming)(&name);
        (name, called)
    }

    /// Gives back what `claim` took; none where the session that took it has ended.
    async fn give_back(&self, client: &mut Client, claim: &Claim) -> Result<Option<bool>> {
        let (name, called) = self.names(claim);
        let Some(session) = client.standing() else { return Ok(None) };
        let asked = session.unlock(&called);
        let given = answer(&self.env, self.settings.time_limit, asked).await?;
        client.claims.remove(&name);
        Ok(Some(given))
    }
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, _ttl: Duration) -> Result<Acquired> {
        let (name, called) = self.names(claim);
        let mut client = self.client.lock().await;
        client.live(self).await?;
        if client.claims.contains_key(&name) {
            return Ok(Acquired::Held);
        }
        let invoked = self.env.now();
        client.claims.insert(name.clone(), claim.owner.clone());
        let Some(session) = client.standing() else {
            return Err(LockError::definite("the session at the database has ended"));
        };
        let asked = session.try_lock(&called);
        match answer(&self.env, self.settings.time_limit, asked).await {
            Ok(true) => {
                let granted = self.env.now();
                Ok(Acquired::Granted(Lease::unbounded(claim.clone(), invoked, granted)))
            }
            Ok(false) => {
                client.claims.remove(&name);
                Ok(Acquired::Held)
            }
            Err(error) => {
                if error.is_definite() {
                    client.claims.remove(&name);
                }
                Err(error)
            }
        }
    }

    async fn renew(&mut self, lease: &mut Lease, _ttl: Duration) -> Result<Renewed> {
        // There is nothing to extend, and no news of the server but what has arrived.
        let (name, _) = self.names(&lease.claim);
        let mut client = self.client.lock().await;
        let stands = client.standing().is_some() && client.is_of(&name, &lease.claim.owner);
        Ok(if stands { Renewed::Extended } else { Renewed::Lost })
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let (name, _) = self.names(&lease.claim);
        let mut client = self.client.lock().await;
        if client.standing().is_none() || !client.is_of(&name, &lease.claim.owner) {
            return Ok(Released::Lost);
        }
        let given = self.give_back(&mut client, &lease.claim).await?;
        Ok(if given == Some(true) { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        let (name, _) = self.names(claim);
        let mut client = self.client.lock().await;
        if client.standing().is_none() || !client.is_of(&name, &claim.owner) {
            return Ok(());
        }
        match self.give_back(&mut client, claim).await {
            Ok(_) => Ok(()),
            Err(_) if client.claims.len() == 1 => {
                client.end();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

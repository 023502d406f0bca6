//! An ephemeral sequential node in `ZooKeeper`; the lowest has the lock.
//!
//! The algorithm is the lock of <https://zookeeper.apache.org/doc/r3.8.0/recipes.html>, in the form that tries once:
//!
//! 1. create an ephemeral sequential node under the lock's, its name beginning with the owner value;
//! 2. list the children; if one's own number is the lowest, the lock is taken, for as long as the session lasts;
//! 3. else delete the node again: somebody else has it. Where two try at once while a third gives the lock back, both may
//!    find each other in the way; the driver tries again;
//! 4. the transaction that created the node (its `czxid`) is the fencing token: a cluster numbers all of them in one
//!    sequence;
//! 5. release deletes the node. So does the withdrawal of an acquire whose answer was lost: it is found by the owner value
//!    in its name, which is also why a node of a session that is dying is never taken for one's own (failure mode F07).
//!
//! The TTL is the session's timeout. Heartbeats are renewals: nothing pings behind the holder's back, so that a holder
//! that stands still falls silent, as a process does. The server ends a session that was silent for its timeout, and then
//! gives its locks away; it cannot stop a holder that does not know (F01), or is cut off and goes on (F08).
//!
//! A holder has one session, which everything that it opens shares, as a process has one client.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, FencingToken, HolderId, Lease, OwnerValue};
use tokio::sync::Mutex as AsyncMutex;

use super::{LockEntry, Needs, Tokens};
use crate::coordinator::Dial;
use crate::settings::whole_millis;
use crate::shared_clients::SharedClients;
use crate::zookeeper::{Answer, ZooKeeperNode, ZooKeeperRefusal, ZooKeeperSession, node_of, word};
use crate::{
    Acquired, AnyLock, Backends, Coordinator, Lock, LockError, LockSession, LockSettings, Released,
    Renewed, Result,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "zookeeper",
    summary: "the lowest ephemeral sequential node in ZooKeeper",
    needs: Needs::Coordinator(Coordinator::ZooKeeper),
    tokens: Tokens::Drawn,
    renews: true,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(ZooKeeper { settings, backends, env, clients: SharedClients::default() })
    },
};

/// For a withdrawal by a holder that has no session.
const FOR_A_WITHDRAWAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct ZooKeeper {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    clients: SharedClients<Client>,
}

impl Lock for ZooKeeper {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let dial = Dial::of(&self.backends, holder);
        // A session's timeout is that of the lease, so none is begun before one is asked for.
        word(&dial, &self.env, "srvr").await?;
        let client = self.clients.of(holder, || {
            let (env, limit) = (self.env.clone(), self.settings.time_limit);
            Client { dial, env, limit, sessions: Vec::new() }
        });
        Ok(Session { settings: self.settings.clone(), env: self.env.clone(), client })
    }
}

/// A holder's sessions: one for each TTL that it asks for.
#[derive(Debug)]
struct Client {
    dial: Dial,
    env: Env,
    limit: Duration,
    sessions: Vec<(Duration, ZooKeeperSession)>,
}

impl Client {
    /// The session whose timeout is `ttl`, which may have ended, or not have been begun.
    fn session(&mut self, ttl: Duration) -> &mut ZooKeeperSession {
        let place = self.sessions.iter().position(|(timeout, _)| *timeout == ttl);
        let place = place.unwrap_or_else(|| {
            let (dial, env) = (self.dial.clone(), self.env.clone());
            self.sessions.push((ttl, ZooKeeperSession::new(dial, env, self.limit, ttl)));
            self.sessions.len() - 1
        });
        &mut self.sessions[place].1
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    env: Env,
    client: Arc<AsyncMutex<Client>>,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        whole_millis(ttl)?;
        let parent = self.parent(claim);
        let mut client = self.client.lock().await;
        let session = client.session(ttl);
        let invoked = self.env.now();
        let (path, node) = create(session, &parent, &claim.owner).await?;
        // From here on there is a node, so that no error is definite.
        let children = session.children(&parent).await.map_err(open)?.map_err(undecided)?;
        let ours = number_in(&path);
        if children.iter().all(|child| number_in(child) >= ours) {
            let mut lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
            lease.valid_until = invoked + ttl.min(session.timeout());
            return Ok(Acquired::Granted(if self.settings.draw_tokens {
                lease.with_fencing_token(FencingToken(node.created))
            } else {
                lease
            }));
        }
        match session.delete(&path).await.map_err(open)? {
            Ok(()) | Err(ZooKeeperRefusal::NoNode | ZooKeeperRefusal::SessionEnded) => {
                Ok(Acquired::Held)
            }
            Err(refusal) => Err(undecided(refusal)),
        }
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        whole_millis(ttl)?;
        let parent = self.parent(&lease.claim);
        let mut client = self.client.lock().await;
        let session = client.session(lease.ttl.unwrap_or(ttl));
        let Some(path) = find(session, &parent, &lease.claim.owner).await? else {
            return Ok(Renewed::Lost);
        };
        // Any request touches the session, but only a node of this one is kept by that.
        let invoked = self.env.now();
        match session.look(&path).await? {
            Ok(node) if node.session == session.id() => {}
            Ok(_) | Err(ZooKeeperRefusal::NoNode | ZooKeeperRefusal::SessionEnded) => {
                return Ok(Renewed::Lost);
            }
            Err(refusal) => return Err(undecided(refusal)),
        }
        lease.invoked = invoked;
        lease.granted = self.env.now();
        lease.valid_until = invoked + ttl.min(session.timeout());
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let parent = self.parent(&lease.claim);
        let mut client = self.client.lock().await;
        let session = client.session(lease.ttl.unwrap_or(FOR_A_WITHDRAWAL));
        let deleted = delete_of(session, &parent, &lease.claim.owner).await?;
        Ok(if deleted { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        let parent = self.parent(claim);
        let mut client = self.client.lock().await;
        // In each session that the claim may have been made in: that it goes on over this connection cuts off what is
        // still on its way over another.
        let mut asked = false;
        for (_, session) in client.sessions.iter_mut().filter(|(_, session)| session.stands()) {
            delete_of(session, &parent, &claim.owner).await?;
            asked |= session.stands();
        }
        if !asked {
            let session = client.session(FOR_A_WITHDRAWAL);
            session.begin().await?;
            delete_of(session, &parent, &claim.owner).await?;
        }
        Ok(())
    }
}

impl Session {
    fn parent(&self, claim: &Claim) -> String {
        node_of(&self.settings.plain_key(&claim.lock))
    }
}

/// Makes the node of `owner`, and that of the lock where there is none; begins a session where there is none. What
/// was refused was not done, and may be tried again.
async fn create(
    session: &mut ZooKeeperSession,
    parent: &str,
    owner: &OwnerValue,
) -> Result<(String, ZooKeeperNode)> {
    /// The server may remove an empty lock's node at any time; not again and again.
    const TRIES: u32 = 5;
    let mut refused = ZooKeeperRefusal::NoNode;
    for _ in 0..TRIES {
        session.begin().await?;
        match session.create_ephemeral_sequential(&format!("{parent}/{owner}-")).await? {
            Ok(created) => return Ok(created),
            Err(refusal) => refused = refusal,
        }
        match refused {
            ZooKeeperRefusal::SessionEnded => {}
            // That another has made it meanwhile, or that the session has ended, shows at the next try.
            ZooKeeperRefusal::NoNode => drop(session.create_container(parent).await?),
            _ => break,
        }
    }
    Err(LockError::definite("ZooKeeper refused to make the node").because(refused))
}

/// The path of the node of `owner`, where there is one.
async fn find(
    session: &mut ZooKeeperSession,
    parent: &str,
    owner: &OwnerValue,
) -> Result<Option<String>> {
    let children = match session.children(parent).await? {
        Ok(children) => children,
        Err(ZooKeeperRefusal::NoNode | ZooKeeperRefusal::SessionEnded) => return Ok(None),
        Err(refusal) => return Err(undecided(refusal)),
    };
    let is_ours =
        |child: &&String| child.rsplit_once('-').is_some_and(|(named, _)| named == owner.as_str());
    Ok(children.iter().find(is_ours).map(|child| format!("{parent}/{child}")))
}

/// Deletes the node of `owner`; whether there was one.
async fn delete_of(
    session: &mut ZooKeeperSession,
    parent: &str,
    owner: &OwnerValue,
) -> Result<bool> {
    let Some(path) = find(session, parent, owner).await? else { return Ok(false) };
    let answer: Answer<()> = session.delete(&path).await?;
    match answer {
        Ok(()) => Ok(true),
        Err(ZooKeeperRefusal::NoNode | ZooKeeperRefusal::SessionEnded) => Ok(false),
        Err(refusal) => Err(undecided(refusal)),
    }
}

/// The number that the server gave a node, after the last dash of its name; of no node of ours, the last of all.
fn number_in(node: &str) -> u32 {
    let number = node.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    number.unwrap_or(u32::MAX)
}

fn undecided(refusal: ZooKeeperRefusal) -> LockError {
    LockError::indefinite("ZooKeeper refused").because(refusal)
}

/// The same error where something was done before.
fn open(error: LockError) -> LockError {
    LockError::indefinite("ZooKeeper did not answer").because(error)
}

//! What the server remembers of one connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::WallClock;
use crate::mailbox::Mailbox;
use crate::reply::{Protocol, Reply};
use crate::watches::Watch;

/// One connection's state: the selected database, the client's name, its transaction, what it
/// listens to.
///
/// Opened by [`Server::open_session`](crate::Server::open_session); dropping it is disconnecting.
#[derive(Debug)]
pub struct Session {
    pub(crate) id: u64,
    pub(crate) database: usize,
    pub(crate) name: Bytes,
    pub(crate) protocol: Protocol,
    /// Whether the password, if there is one, has been given.
    pub(crate) authenticated: bool,
    /// Set by QUIT: the connection ends once the reply is written.
    pub(crate) closing: bool,
    /// Between MULTI and EXEC.
    pub(crate) transaction: Option<Transaction>,
    /// Between WATCH and EXEC.
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) blocked: Option<Blocked>,
    /// When its last command but WAIT was carried out: what WAIT waits for was written by then.
    pub(crate) last_command: WallClock,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Counts the open sessions by its clones, so that a forgotten hand-back cannot make INFO lie;
    /// a script's session is not one.
    _presence: Option<Arc<()>>,
}

/// Commands that wait for EXEC.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) queued: Vec<Vec<Bytes>>,
    /// One of the commands was refused already.
    pub(crate) broken: bool,
}

/// What a session listens to.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    pub(crate) channels: BTreeSet<Bytes>,
    pub(crate) patterns: BTreeSet<Bytes>,
}

impl Subscriptions {
    pub(crate) fn len(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }
}

/// A session that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocked {
    pub(crate) on: BlockedOn,
    pub(crate) until: Option<WallClock>,
}

/// What it waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BlockedOn {
    /// An element of a list.
    Element,
    /// That replicas have what was written by then.
    Replicas(WallClock),
}

impl Session {
    pub(crate) fn new(id: u64, authenticated: bool, presence: Arc<()>) -> Self {
        Self {
            authenticated,
            _presence: Some(presence),
            ..Self::bare(id, 0, Arc::new(Mailbox::default()))
        }
    }

    /// The session of a script: it starts in its caller's database, and its own SELECT does not
    /// move the caller.
    pub(crate) fn of_script(caller: &Self) -> Self {
        Self {
            authenticated: true,
            ..Self::bare(caller.id, caller.database, Arc::clone(&caller.mailbox))
        }
    }

    fn bare(id: u64, database: usize, mailbox: Arc<Mailbox>) -> Self {
        Self {
            id,
            database,
            name: Bytes::new(),
            protocol: Protocol::Resp2,
            authenticated: false,
            closing: false,
            transaction: None,
            watch: None,
            subscriptions: Subscriptions::default(),
            blocked: None,
            last_command: WallClock::from_unix_nanos(0),
            mailbox,
            _presence: None,
        }
    }

    /// The identity that CLIENT ID and HELLO report, unique within the server.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The protocol that the client has chosen: how its replies are to be encoded.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the session listens to a channel or a pattern.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.len() > 0
    }

    /// Whether the session waits for an answer
    /// ([`Execution::Blocked`](crate::Execution::Blocked)).
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    /// When a blocked session gives up.
    #[must_use]
    pub fn blocked_until(&self) -> Option<WallClock> {
        self.blocked?.until
    }

    /// Takes what has come without being asked for since the last call, each a [`Reply::Push`]:
    /// messages, and the confirmations of SUBSCRIBE. They belong before the reply of the command
    /// that was carried out last.
    pub fn take_pushes(&mut self) -> Vec<Reply> {
        self.mailbox.take_pushes()
    }

    /// Whether so many pushes piled up that they were dropped: Redis disconnects such a client.
    #[must_use]
    pub fn has_overflowed(&self) -> bool {
        self.mailbox.has_overflowed()
    }

    /// Resolves when a push or an answer may have come since the last look.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the look itself is another call.
    pub fn arrival(&self) -> impl Future<Output = ()> + Send + use<> {
        let mailbox = Arc::clone(&self.mailbox);
        async move { mailbox.arrived().await }
    }
}

//! The server, and the one door through which commands come in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::WallClock;
use crate::commands::{self, Answer};
use crate::core::Core;
use crate::glob;
use crate::reply::Reply;
use crate::scripts::Scripts;
use crate::session::{BlockedOn, Session};

/// The release whose replies and error texts the model gives.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// What one server is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many numbered databases SELECT may choose from.
    pub databases: usize,
    /// How many replicas there are for WAIT, none of them late, until
    /// [`Server::set_replica_lags`] says otherwise.
    pub replicas: u32,
    /// What a script may use before it is stopped.
    pub scripts: ScriptLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self { databases: 16, replicas: 0, scripts: ScriptLimits::default() }
    }
}

/// What a script may use before it is stopped. A call of a C function, such as a pattern search in
/// a long string, counts as one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptLimits {
    /// Instructions of the Lua machine in one run, counted in steps of about ten thousand.
    pub instructions: u64,
    /// Bytes that all scripts, the cached ones included, may occupy; 0 for no bound, which is a third quicker, and
    /// right where every script is one's own.
    pub memory_bytes: usize,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self { instructions: 50_000_000, memory_bytes: 64 << 20 }
    }
}

/// What became of a command. Pushes that it caused are taken with [`Session::take_pushes`], and
/// belong before its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// It has been answered.
    Reply(Reply),
    /// It has been answered, and the connection is to be closed once the reply is sent.
    Close(Reply),
    /// It is answered by pushes only: SUBSCRIBE and its kin.
    Pushed,
    /// It waits for what another session gives: ask [`Server::resume`] for the reply, and carry
    /// out no other command of this session until it comes.
    Blocked {
        /// When it gives up; never without.
        until: Option<WallClock>,
    },
}

impl Execution {
    /// The reply, whatever comes after it; null when there is none yet or none at all.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        match self {
            Self::Reply(reply) | Self::Close(reply) => reply,
            Self::Pushed | Self::Blocked { .. } => Reply::NullArray,
        }
    }
}

/// An in-process Redis server.
#[derive(Debug)]
pub struct Server {
    core: Core,
    scripts: Scripts,
    last_session_id: u64,
}

impl Server {
    /// An empty server.
    ///
    /// # Panics
    ///
    /// When `options` ask for no database, or leave too little memory for Lua itself (about 100
    /// KiB).
    #[must_use]
    pub fn new(options: Options) -> Self {
        assert!(options.databases > 0, "a server has at least one database");
        let scripts = Scripts::new(options.scripts).expect("the limits leave room for Lua itself");
        Self { core: Core::new(options), scripts, last_session_id: 0 }
    }

    /// A new connection, in database 0.
    pub fn open_session(&mut self) -> Session {
        self.last_session_id += 1;
        let authenticated = self.core.settings.password.is_empty();
        Session::new(self.last_session_id, authenticated, Arc::clone(&self.core.presence))
    }

    /// Carries out one command, name first, at the server's time `now`.
    ///
    /// Keys and values are kept as they come: hand in arguments that own their bytes, since a slice
    /// of a larger buffer keeps all of it.
    pub fn execute(
        &mut self,
        session: &mut Session,
        command: &[Bytes],
        now: WallClock,
    ) -> Execution {
        let answer = commands::execute(&mut self.core, &mut self.scripts, session, command, now);
        if !command.first().is_some_and(|name| name.eq_ignore_ascii_case(b"wait")) {
            session.last_command = now;
        }
        self.core.serve_waiters();
        match answer {
            Answer::Reply(reply) if session.closing => Execution::Close(reply),
            Answer::Reply(reply) => Execution::Reply(reply),
            Answer::Pushed => Execution::Pushed,
            // What it waits for may have been there already, put by the same transaction.
            Answer::Blocked => match session.blocked {
                Some(blocked) => Execution::Blocked { until: blocked.until },
                None => Execution::Pushed,
            },
        }
    }

    /// The reply that a blocked session has waited for: what it was given, or null when its time is
    /// over, or how many replicas have acknowledged by then. `None` when it goes on waiting, or does not wait.
    pub fn resume(&mut self, session: &mut Session, now: WallClock) -> Option<Reply> {
        let blocked = session.blocked?;
        let given = session.mailbox.take_answer();
        let over = blocked.until.is_some_and(|until| now >= until);
        let timed_out = || match blocked.on {
            BlockedOn::Element => Reply::NullArray,
            BlockedOn::Replicas(written) => Reply::Integer(self.core.acknowledged(written, now)),
        };
        let reply = given.or_else(|| over.then(timed_out))?;
        session.mailbox.end_wait();
        session.blocked = None;
        Some(reply)
    }

    /// Reaps what has expired by `now` and tells who listens; says how many keys that were.
    /// Commands do so first of all, so that only somebody who listens for expiries needs this.
    pub fn expire_due(&mut self, now: WallClock) -> usize {
        self.core.expire_due(now)
    }

    /// The first moment at which [`expire_due`](Self::expire_due) may have something to do; an end that was taken back
    /// meanwhile counts until then.
    #[must_use]
    pub fn next_expiry(&self) -> Option<WallClock> {
        let last_millisecond = self.core.keyspace.next_expiry_ms()?;
        let millis = u64::try_from(last_millisecond).unwrap_or(0);
        Some(WallClock::from_unix_millis(millis.saturating_add(1)))
    }

    /// Whether expiries are told to anybody (`notify-keyspace-events` with `x`).
    #[must_use]
    pub fn notifies_expiry(&self) -> bool {
        self.core.settings.notifications.has(b'x') && !self.core.channels.is_empty()
    }

    /// From now on it has replicas that are behind by so much, each by its own. WAIT knows of them; replication itself is
    /// not modelled.
    pub fn set_replica_lags(&mut self, mut lags: Vec<Duration>) {
        lags.sort_unstable();
        self.core.replica_lags = lags;
    }

    /// Asks new sessions for a password, as `CONFIG SET requirepass`; an empty one is none.
    pub fn set_password(&mut self, password: &[u8]) {
        self.core.settings.password = Bytes::copy_from_slice(password);
    }

    /// Stops scripts that run longer than `limit` by `clock`, besides the limits of [`Options`]. Off
    /// at first, so that direct calls read no clock; [`serve`](crate::serve) turns it on.
    pub fn limit_script_time(
        &mut self,
        clock: impl Fn() -> WallClock + Send + Sync + 'static,
        limit: Duration,
    ) {
        self.scripts.limit_time(clock, limit);
    }

    /// Takes `key` away behind everybody's back, and says whether it was there: a fault, not a
    /// command. Who watches the key finds it changed; nobody is notified.
    ///
    /// # Panics
    ///
    /// When there is no such database.
    pub fn drop_key(&mut self, database: usize, key: &Bytes, now: WallClock) -> bool {
        self.core.expire_due(now);
        self.core.watches.touch(database, key);
        self.core.keyspace.remove(database, key).is_some()
    }

    /// Forgets all data and all scripts, as a restart without persistence does; sessions that the
    /// rig leaves open go on.
    pub fn lose_everything(&mut self) {
        (0..self.core.keyspace.database_count()).for_each(|database| self.core.clear(database));
        self.scripts.flush();
    }

    /// Makes this a new server, as [`Server::new`] would with the same options, in a thousandth of the time: the Lua
    /// machine and what it has compiled are kept where nobody can tell. Sessions of before are void.
    pub fn start_over(&mut self) {
        self.core = Core::new(self.core.options);
        self.scripts.forget();
        self.last_session_id = 0;
    }

    /// Forgets its scripts, as a restart does that loads its data again.
    pub fn forget_scripts(&mut self) {
        self.scripts.forget();
    }

    /// The live keys that match a glob pattern, sorted by name.
    ///
    /// # Panics
    ///
    /// When there is no such database.
    #[must_use]
    pub fn keys_matching(&self, database: usize, pattern: &[u8], now: WallClock) -> Vec<Bytes> {
        let live =
            self.core.keyspace.iter(database).filter(|(_, entry)| {
                entry.expires_at_ms().is_none_or(|at| at >= now.unix_millis())
            });
        let mut keys: Vec<Bytes> =
            live.map(|(key, _)| key).filter(|key| glob::matches(pattern, key)).cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// How many sessions are open.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.core.session_count()
    }
}

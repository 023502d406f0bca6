//! The server: its data, and the one door through which commands come in.

use std::sync::Arc;

use bytes::Bytes;

use crate::clock::WallClock;
use crate::commands::{self, Call};
use crate::glob;
use crate::keyspace::Database;
use crate::reply::Reply;
use crate::scripts::Scripts;
use crate::session::Session;

/// The release whose replies and error texts the model gives.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// What one server is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many numbered databases SELECT may choose from.
    pub databases: usize,
    /// How many replicas WAIT reports to have acknowledged.
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
    /// Bytes that all scripts, the cached ones included, may occupy.
    pub memory_bytes: usize,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self { instructions: 50_000_000, memory_bytes: 64 << 20 }
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// It has been answered.
    Reply(Reply),
    /// It has been answered, and the connection is to be closed once the reply is sent.
    Close(Reply),
}

impl Execution {
    /// The reply, whatever comes after it.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        match self {
            Self::Reply(reply) | Self::Close(reply) => reply,
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

/// All but the scripts: what a script's own commands may reach while it runs. It moves into the run
/// and back, which is why it has a default.
#[derive(Debug, Default)]
pub(crate) struct Core {
    pub(crate) databases: Vec<Database>,
    pub(crate) options: Options,
    pub(crate) commands_processed: u64,
    presence: Arc<()>,
}

impl Core {
    /// How many sessions are open.
    pub(crate) fn session_count(&self) -> usize {
        Arc::strong_count(&self.presence) - 1
    }
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
        let mut databases = Vec::new();
        databases.resize_with(options.databases, Database::default);
        let core = Core { databases, options, commands_processed: 0, presence: Arc::new(()) };
        let scripts = Scripts::new(options.scripts).expect("the limits leave room for Lua itself");
        Self { core, scripts, last_session_id: 0 }
    }

    /// A new connection, in database 0.
    pub fn open_session(&mut self) -> Session {
        self.last_session_id += 1;
        Session::new(self.last_session_id, Arc::clone(&self.core.presence))
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
        self.core.commands_processed += 1;
        let scripts = Some(&mut self.scripts);
        let reply = commands::execute(&mut self.core, scripts, session, command, now);
        if session.closing { Execution::Close(reply) } else { Execution::Reply(reply) }
    }

    /// Takes `key` away behind everybody's back, and says whether it was there: a fault, not a
    /// command.
    ///
    /// # Panics
    ///
    /// When there is no such database.
    pub fn drop_key(&mut self, database: usize, key: &Bytes, now: WallClock) -> bool {
        self.core.databases[database].remove(key, now)
    }

    /// Forgets all data and all scripts, as a restart without persistence does; sessions that the
    /// rig leaves open go on.
    pub fn lose_everything(&mut self) {
        self.core.databases.iter_mut().for_each(Database::clear);
        self.scripts.flush();
    }

    /// The live keys that match a glob pattern, sorted by name.
    ///
    /// # Panics
    ///
    /// When there is no such database.
    #[must_use]
    pub fn keys_matching(&self, database: usize, pattern: &[u8], now: WallClock) -> Vec<Bytes> {
        let live = self.core.databases[database].iter(now).map(|(key, _)| key);
        let mut keys: Vec<Bytes> =
            live.filter(|key| glob::matches(pattern, key)).cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// How many sessions are open.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.core.session_count()
    }
}

impl Call<'_> {
    /// The database that this call's session has selected.
    pub(crate) fn database(&mut self) -> &mut Database {
        &mut self.core.databases[self.session.database]
    }
}

//! How a lock asks for connections, and who dials.

use std::fmt;
use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::HolderId;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::shared_connections::SharedConnection;
use crate::{AdapterLine, ByteStream, DatabaseSession, LockError, Result};

/// The servers of a strategy. The workbench's rig implements it, and so does any program that uses these
/// locks by themselves.
pub trait Backends: Debug + Send + Sync + 'static {
    /// How many Redis servers there are.
    fn redis_servers(&self) -> usize;

    /// A connection of `holder` to Redis server number `server`, counted from 0: a clone of one that many
    /// holders share, or one of the holder's own.
    ///
    /// Called again after a connection broke; the implementation dials anew then.
    ///
    /// # Errors
    /// The server cannot be reached. Nothing was sent, so the error is definite.
    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>>;

    /// A new session of `holder` at the database, for locks alone. By default there is none.
    ///
    /// # Errors
    /// The database cannot be reached, or there is none. Nothing was asked, so the error is definite.
    fn database(&self, _holder: HolderId) -> BoxFuture<'_, Result<Box<dyn DatabaseSession>>> {
        let none = LockError::definite("there is no database here for locks");
        std::future::ready(Err(none)).boxed()
    }

    /// A new connection of `holder` to the coordination service that the lock runs on. A program that has none leaves
    /// this out; one that has needs no more than `TcpStream::connect`.
    ///
    /// # Errors
    /// It cannot be reached, or there is none. Nothing was sent, so the error is definite.
    fn coordinator(&self, _holder: HolderId) -> BoxFuture<'_, Result<ByteStream>> {
        let none = LockError::definite("there is no coordination service here");
        std::future::ready(Err(none)).boxed()
    }

    /// Starts the program that speaks for a lock of somebody else's, for `holder` alone; one that was started for it
    /// before is ended. By default there is none.
    ///
    /// # Errors
    /// It cannot be started. Nothing was said, so the error is definite.
    fn adapter(&self, _holder: HolderId) -> BoxFuture<'_, Result<AdapterLine>> {
        let what = "no program can be started here to speak for a lock";
        std::future::ready(Err(LockError::definite(what))).boxed()
    }
}

/// Any connection that the Redis client library can speak over.
pub struct RedisConnection(Kind);

/// The library's trait boxes the future of each request in layers. The kind that is used most does with one.
enum Kind {
    Shared(SharedConnection),
    Any(Box<dyn ConnectionLike + Send + Sync>),
}

impl RedisConnection {
    /// Forgets what kind of connection this is.
    pub fn new(connection: impl ConnectionLike + Send + Sync + 'static) -> Self {
        Self(Kind::Any(Box::new(connection)))
    }

    pub(crate) const fn shared(connection: SharedConnection) -> Self {
        Self(Kind::Shared(connection))
    }

    /// Sends one command and waits for its reply.
    pub(crate) async fn request(&mut self, command: &Cmd) -> RedisResult<Value> {
        match &mut self.0 {
            // Boxed too: by itself it made the future of every request over any connection more than a kilobyte.
            Kind::Shared(connection) => Box::pin(connection.request(command)).await,
            Kind::Any(connection) => connection.req_packed_command(command).await,
        }
    }
}

impl Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConnection").finish_non_exhaustive()
    }
}

/// For locks of your own: all that the client library can do.
impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.request(cmd).boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &mut self.0 {
            Kind::Shared(connection) => connection.request_all(pipeline, offset, count).boxed(),
            Kind::Any(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.0 {
            Kind::Shared(connection) => connection.database(),
            Kind::Any(connection) => connection.get_db(),
        }
    }
}

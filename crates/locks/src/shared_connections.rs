//! Connections over TCP (or a unix socket) that many holders share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use lockproof_env::Env;
use lockproof_model::{DriverSetting, HolderId};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisError,
    RedisResult, Value,
};

use crate::{Backends, LockError, RedisConnection, Result};

/// Dialling is bounded by the lock's own time limit; this only ends attempts that nobody waits for any more.
const DIAL_LIMIT: Duration = Duration::from_secs(30);

/// Connections per server. While the server works through what came over one, this program can write to the other: with
/// two, neither waits for the other to be done, and more would only make the batches smaller.
const LANES: u32 = 2;

/// Dials a server by another client library than the usual one.
pub type Dialler = fn(ConnectionInfo) -> BoxFuture<'static, RedisResult<Handles>>;

/// One connection of another client library: each call gives a session a handle of its own to it. That library looks
/// after broken connections by itself, or says that it does not by an unrecoverable error.
pub type Handles = Arc<dyn Fn() -> RedisConnection + Send + Sync>;

/// Where holder so-and-so finds server number so-and-so.
type Address = dyn Fn(usize, HolderId) -> RedisResult<ConnectionInfo> + Send + Sync;

/// [`Backends`] that dial real servers: two multiplexed connections per server, shared by all holders, dialled when
/// they are first needed and again after they broke.
///
/// A holder is always given the same one, so that its requests arrive in the order in which it sent them. A connection
/// writes the requests that come together in one system call, which is faster than a connection for each holder. Where
/// the rig has to tell holders apart it asks for [one each](Self::one_per_holder).
///
/// Needs a tokio runtime, as the client library does.
pub struct SharedConnections {
    env: Env,
    servers: usize,
    address: Box<Address>,
    /// Where it is not the usual library that dials.
    dialler: Option<Dialler>,
    per_holder: bool,
    /// By server, and by holder or lane.
    dialled: Mutex<BTreeMap<(usize, u32), Dial>>,
}

/// A connection that is there, on its way, or did not come.
type Dial = Shared<BoxFuture<'static, std::result::Result<Dialled, Arc<RedisError>>>>;

#[derive(Clone)]
enum Dialled {
    Usual(SharedConnection),
    Other(Handles),
}

impl Dialled {
    fn is_broken(&self) -> bool {
        match self {
            Self::Usual(connection) => connection.broken.load(Ordering::Relaxed),
            Self::Other(_) => false,
        }
    }

    fn handle(self) -> RedisConnection {
        match self {
            Self::Usual(connection) => RedisConnection::shared(connection),
            Self::Other(handles) => handles(),
        }
    }
}

impl SharedConnections {
    /// Connections to the servers at `urls` (`redis://…`, `unix:///…`). `env` is where dialling takes place: no
    /// holder's group, since a holder that is paused while dialling must not hold up the others.
    ///
    /// # Errors
    /// One of them is no URL of a Redis server.
    pub fn to(env: Env, urls: &[&str]) -> RedisResult<Self> {
        let infos: Vec<ConnectionInfo> =
            urls.iter().map(|url| url.into_connection_info()).collect::<RedisResult<_>>()?;
        Ok(Self::new(env, infos.len(), move |server, _| Ok(infos[server].clone())))
    }

    /// Connections to `servers` servers, each found at `address`.
    pub fn new(
        env: Env,
        servers: usize,
        address: impl Fn(usize, HolderId) -> RedisResult<ConnectionInfo> + Send + Sync + 'static,
    ) -> Self {
        let dialled = Mutex::default();
        let address = Box::new(address);
        Self { env, servers, address, dialler: None, per_holder: false, dialled }
    }

    /// The same over another client library.
    #[must_use]
    pub fn dialled_by(self, dialler: Dialler) -> Self {
        Self { dialler: Some(dialler), ..self }
    }

    /// The same with a connection of its own for each holder and server.
    #[must_use]
    pub fn one_per_holder(mut self) -> Self {
        self.per_holder = true;
        self
    }

    /// The settings of the client library that can change an outcome, for a report.
    #[must_use]
    pub fn driver_settings() -> Vec<DriverSetting> {
        [
            ("connections", "two multiplexed connections per server, shared by all holders"),
            ("TCP_NODELAY", "on (the library's default is off)"),
            (
                "response time limit",
                "off; the lock's own applies (the library's default is 500 ms)",
            ),
            ("retries", "none: no command is sent twice"),
        ]
        .map(|(setting, value)| DriverSetting {
            driver: "redis 1.8 (Rust)".to_owned(),
            setting: setting.to_owned(),
            value: value.to_owned(),
        })
        .into()
    }

    /// The connection that is there or on its way, or a new one when it broke or never came.
    fn shared(&self, server: usize, holder: HolderId) -> Dial {
        let user = if self.per_holder { holder.0 } else { holder.0 % LANES };
        let mut dialled = self.dialled.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = |dial: &&Dial| match dial.peek() {
            Some(Ok(dialled)) => !dialled.is_broken(),
            Some(Err(_)) => false,
            None => true,
        };
        if let Some(dial) = dialled.get(&(server, user)).filter(usable) {
            return dial.clone();
        }
        let task = self.env.spawn(dial((self.address)(server, holder), self.dialler));
        let stopped = |error| Err(Arc::new(std::io::Error::other(error).into()));
        let dial = task.map(move |done| done.unwrap_or_else(stopped)).boxed().shared();
        dialled.insert((server, user), dial.clone());
        dial
    }
}

impl fmt::Debug for SharedConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may carry passwords.
        f.debug_struct("SharedConnections").field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl Backends for SharedConnections {
    fn redis_servers(&self) -> usize {
        self.servers
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        let dial = self.shared(server, holder);
        async move {
            match dial.await {
                Ok(dialled) => Ok(dialled.handle()),
                Err(error) => {
                    let what = format!("could not reach redis server {}", server + 1);
                    Err(LockError::definite(what).because(error))
                }
            }
        }
        .boxed()
    }
}

async fn dial(
    address: RedisResult<ConnectionInfo>,
    dialler: Option<Dialler>,
) -> std::result::Result<Dialled, Arc<RedisError>> {
    let dialled = async {
        match dialler {
            Some(dialler) => Ok(Dialled::Other(dialler(address?).await?)),
            None => Ok(Dialled::Usual(dial_usual(address?).await?)),
        }
    };
    dialled.await.map_err(Arc::new)
}

async fn dial_usual(address: ConnectionInfo) -> RedisResult<SharedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DIAL_LIMIT))
        .set_response_timeout(None);
    let address = address.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let client = redis::Client::open(address)?;
    let inner = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(SharedConnection { inner, broken: Arc::default() })
}

/// A connection that remembers that it broke, so that the next to ask is given another.
#[derive(Clone, Debug)]
pub(crate) struct SharedConnection {
    inner: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

impl SharedConnection {
    /// Sends one command and waits for its reply.
    pub(crate) async fn request(&mut self, command: &Cmd) -> RedisResult<Value> {
        let answer = self.inner.send_packed_command(command).await;
        self.note(answer)
    }

    /// Sends a pipeline and waits for `count` replies from number `offset` on.
    pub(crate) async fn request_all(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let answers = self.inner.send_packed_commands(pipeline, offset, count).await;
        self.note(answers)
    }

    pub(crate) fn database(&self) -> i64 {
        self.inner.get_db()
    }

    fn note<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        if answer.as_ref().is_err_and(RedisError::is_unrecoverable_error) {
            self.broken.store(true, Ordering::Relaxed);
        }
        answer
    }
}

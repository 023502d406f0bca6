//! Connections to the Redis servers: one multiplexed connection per server, shared by its holders.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, TryFutureExt};
use lockproof_locks::{Backends, LockError, RedisConnection, Result};
use lockproof_model::{DriverSetting, HolderId};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Cmd, IntoConnectionInfo, Pipeline, RedisError, RedisFuture, Value,
};
use tokio::runtime::Handle;

use super::links::Links;
use crate::{Link, LinkUse};

/// Dialling is bounded by the lock's own time limit; this only ends attempts that nobody waits for any more.
const DIAL_LIMIT: Duration = Duration::from_secs(30);

/// Dials, shares and replaces connections.
#[derive(Debug)]
pub(super) struct Connections {
    links: Arc<Links>,
    servers: usize,
    usage: LinkUse,
    /// Where dialling and the connections' own tasks run: not in a holder's group, as a kernel's buffers do not
    /// stop with a process.
    runtime: Handle,
    dialled: Mutex<BTreeMap<(usize, Option<HolderId>), Dial>>,
}

type Dial = Shared<BoxFuture<'static, std::result::Result<Monitored, Arc<RedisError>>>>;

impl Connections {
    pub(super) fn new(links: Arc<Links>, servers: usize, usage: LinkUse) -> Self {
        Self { links, servers, usage, runtime: Handle::current(), dialled: Mutex::default() }
    }

    /// The connection that is there or on its way, or a new one when it broke or never came.
    fn shared(&self, server: usize, holder: HolderId) -> Dial {
        let user = (self.usage == LinkUse::PerHolder).then_some(holder);
        let mut dialled = self.dialled.lock().unwrap_or_else(PoisonError::into_inner);
        let current = dialled.get(&(server, user)).filter(|dial| match dial.peek() {
            Some(Ok(connection)) => !connection.broken.load(Ordering::Relaxed),
            Some(Err(_)) => false,
            None => true,
        });
        if let Some(dial) = current {
            return dial.clone();
        }
        let address = self.links.address(Link::Redis(server), holder);
        let dial = match address {
            Some(address) => {
                // A task of its own: a holder that is paused while dialling must not hold up the others.
                let task = self.runtime.spawn(dial(address.to_string()));
                task.unwrap_or_else(|error| Err(Arc::new(std::io::Error::other(error).into())))
                    .boxed()
                    .shared()
            }
            None => unreachable!("locks ask for no server beyond redis_servers()"),
        };
        dialled.insert((server, user), dial.clone());
        dial
    }
}

impl Backends for Connections {
    fn redis_servers(&self) -> usize {
        self.servers
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        let dial = self.shared(server, holder);
        async move {
            match dial.await {
                Ok(connection) => Ok(RedisConnection::new(connection)),
                Err(error) => {
                    let what = format!("could not reach redis server {}", server + 1);
                    Err(LockError::definite(what).because(error))
                }
            }
        }
        .boxed()
    }
}

async fn dial(address: String) -> std::result::Result<Monitored, Arc<RedisError>> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DIAL_LIMIT))
        .set_response_timeout(None);
    let open = async {
        let info = format!("redis://{address}").into_connection_info()?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        redis::Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await
    };
    let inner = open.await.map_err(Arc::new)?;
    Ok(Monitored { inner, broken: Arc::default() })
}

/// The settings of this driver that can change an outcome.
pub(super) fn driver_settings() -> Vec<DriverSetting> {
    [
        ("connections", "one multiplexed connection per server, shared by all holders"),
        ("TCP_NODELAY", "on (the library's default is off)"),
        ("response time limit", "off; the lock's own applies (the library's default is 500 ms)"),
        ("retries", "none: no command is sent twice"),
        ("protocol", "RESP2"),
    ]
    .map(|(setting, value)| DriverSetting {
        driver: "redis 1.8 (Rust)".to_owned(),
        setting: setting.to_owned(),
        value: value.to_owned(),
    })
    .into()
}

/// A connection that remembers that it broke, so that the next to ask is given another.
#[derive(Clone, Debug)]
struct Monitored {
    inner: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

impl Monitored {
    fn note<T>(&self, answer: redis::RedisResult<T>) -> redis::RedisResult<T> {
        if answer.as_ref().is_err_and(RedisError::is_unrecoverable_error) {
            self.broken.store(true, Ordering::Relaxed);
        }
        answer
    }
}

impl ConnectionLike for Monitored {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            let answer = self.inner.send_packed_command(cmd).await;
            self.note(answer)
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let answer = self.inner.send_packed_commands(pipeline, offset, count).await;
            self.note(answer)
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

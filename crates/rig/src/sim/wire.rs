//! The lock's way to the model servers through the unmodified client library.
//!
//! ```text
//!   lock ── MultiplexedConnection ── its driver, a task of the holder ── Stream ──▶ network ──▶ RESP ─▶ redis-model
//! ```
//!
//! A message is what the library writes at one time, be it a request, several or half of one, and what the server says
//! to it. Neither of the library's own time limits is set: they are tokio's timers, and there is no tokio here. A lock
//! has limits of its own, in virtual time.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::io;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::{Env, Group};
use lockproof_locks::{Backends, LockError, RedisConnection, Result};
use lockproof_model::{DriverSetting, HolderId};
use lockproof_sim::Shared;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};

use super::network::{Network, Wire};
use super::redis_server::ModelRedis;
use super::socket::Stream;
use super::ticket::Broken;
use crate::Link;

/// A connection of each holder to each server, dialled when it is first needed and again after it broke.
#[derive(Debug)]
pub(super) struct WireBackends {
    env: Env,
    groups: BTreeMap<HolderId, Group>,
    network: Shared<Network>,
    servers: Vec<Shared<ModelRedis>>,
    open: Shared<RefCell<BTreeMap<(usize, HolderId), Open>>>,
}

/// A connection and what it goes over.
#[derive(Debug)]
struct Open {
    wire: Shared<Wire>,
    connection: MultiplexedConnection,
}

impl WireBackends {
    /// What the library does for a holder it does in the holder's group.
    pub(super) fn new(
        env: Env,
        groups: BTreeMap<HolderId, Group>,
        network: Shared<Network>,
        servers: Vec<Shared<ModelRedis>>,
    ) -> Self {
        Self { env, groups, network, servers, open: Shared::new(RefCell::default()) }
    }

    /// The settings of the client library that can change an outcome, for a report.
    pub(super) fn driver_settings() -> Vec<DriverSetting> {
        [
            ("connections", "one multiplexed connection per holder and server"),
            ("time limits", "off; the lock's own apply (the library's default is 500 ms)"),
            ("retries", "none: no command is sent twice"),
        ]
        .map(|(setting, value)| DriverSetting {
            driver: "redis 1.8 (Rust)".to_owned(),
            setting: setting.to_owned(),
            value: value.to_owned(),
        })
        .into()
    }

    fn known(&self, server: usize, holder: HolderId) -> Option<MultiplexedConnection> {
        let open = self.open();
        let known = open.get(&(server, holder)).filter(|open| !open.wire.is_closed())?;
        Some(known.connection.clone())
    }

    async fn dial(&self, server: usize, holder: HolderId) -> Result<MultiplexedConnection> {
        let unreached = || format!("could not reach redis server {}", server + 1);
        let model = self.servers[server].clone();
        let wire = self.network.open(Link::Redis(server), holder);
        ModelRedis::greet(&model, &wire).await.map_err(|Broken| {
            LockError::definite(unreached())
                .because(io::Error::from(io::ErrorKind::ConnectionRefused))
        })?;
        let stream = Stream::new(self.network.clone(), model, wire.clone());
        let (info, config) = (RedisConnectionInfo::default(), no_timers());
        let opening = MultiplexedConnection::new_with_config(&info, stream, config);
        let (connection, driver) =
            opening.await.map_err(|error| LockError::definite(unreached()).because(error))?;
        let env = match self.groups.get(&holder) {
            Some(group) => self.env.in_group(group),
            None => self.env.clone(),
        };
        drop(env.spawn(driver));
        self.open().insert((server, holder), Open { wire, connection: connection.clone() });
        Ok(connection)
    }

    fn open(&self) -> RefMut<'_, BTreeMap<(usize, HolderId), Open>> {
        self.open.borrow_mut()
    }
}

fn no_timers() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

impl Backends for WireBackends {
    fn redis_servers(&self) -> usize {
        self.servers.len()
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        async move {
            let connection = match self.known(server, holder) {
                Some(connection) => connection,
                None => self.dial(server, holder).await?,
            };
            Ok(RedisConnection::new(connection))
        }
        .boxed()
    }
}

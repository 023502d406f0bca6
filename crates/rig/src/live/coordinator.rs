//! Coordination services: those of the run's own, and the way to them.
//!
//! One server each, which is a majority of one: it agrees with itself at once, and what it does with leases, sessions and
//! revisions is what a cluster's leader does.

mod etcd;
mod process;
mod zookeeper;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_locks::etcd::EtcdClient;
use lockproof_locks::zookeeper::{ZooKeeperSession, node_of, word};
use lockproof_locks::{
    Backends, ByteStream, Coordinator, Dial, LockError, LockSettings, RedisConnection, Result,
};
use lockproof_model::{DriverSetting, HolderId, LockName, ServerInfo, in_full};
use tokio::net::TcpStream;

use super::children::Spawner;
use super::control::Control;
use super::workspace::Workspace;
use crate::{CoordinatorUrl, RigError, ServerEffect};

pub(super) use etcd::program as etcd_program;
pub(super) use process::refusal;
pub(super) use zookeeper::program as zookeeper_program;

/// How long whoever looks into a server from outside waits for it.
const LOOK_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// A coordination service that answers. Dropping it stops it, unless it is somebody else's.
#[derive(Debug)]
pub struct CoordinatorServer {
    /// Which it is.
    pub service: Coordinator,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is.
    pub info: ServerInfo,
    /// What faults can do to it; it keeps the server running, too.
    pub(super) control: Arc<dyn Control>,
}

/// Starts one on a free loopback port and waits until it answers.
pub(super) async fn start(
    service: Coordinator,
    spawner: &Arc<Spawner>,
    workspace: &Arc<Workspace>,
) -> Result<CoordinatorServer, RigError> {
    let kind: Arc<dyn process::Kind> = match service {
        Coordinator::Etcd => Arc::new(etcd::Etcd),
        Coordinator::ZooKeeper => Arc::new(zookeeper::ZooKeeper),
    };
    let (process, version) = process::CoordinatorProcess::start(kind, spawner, workspace).await?;
    let address = process.address();
    let info = ServerInfo::new(service.word(), version);
    Ok(CoordinatorServer { service, address, info, control: Arc::new(process) })
}

/// Looks for one of somebody else's, at `url`.
pub(super) async fn look(
    service: Coordinator,
    url: &CoordinatorUrl,
) -> Result<CoordinatorServer, RigError> {
    let unusable = |why: String| RigError::new(format!("cannot use {url}")).because(why);
    let address = url.resolve().map_err(|error| unusable(error.to_string()))?;
    let (dial, env) = (dial_to(address), lockproof_env::live::env(0));
    let version = match service {
        Coordinator::Etcd => EtcdClient::new(dial, env, LOOK_WITHIN).open().await,
        // A word may be forbidden there; that somebody answers is enough.
        Coordinator::ZooKeeper => {
            let said = word(&dial, &env, "srvr").await;
            said.map(|said| zookeeper::version(&said).unwrap_or("unknown").to_owned())
        }
    };
    let version = version.map_err(|error| unusable(in_full(&error)))?;
    let info = ServerInfo::new(service.word(), version);
    Ok(CoordinatorServer { service, address, info, control: Arc::new(Theirs) })
}

/// A hand that somebody else's server does not feel.
#[derive(Debug)]
struct Theirs;

impl Control for Theirs {
    fn begin(&self, _effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        let what = "a server of somebody else cannot suffer this";
        std::future::ready(Err(RigError::new(what))).boxed()
    }

    fn end(&self, _effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn relieve(&self, _effect: ServerEffect) {}
}

/// The way to whoever listens at `address`.
#[must_use]
pub fn dial_to(address: SocketAddr) -> Dial {
    Dial::new(move || connect(address))
}

async fn connect(address: SocketAddr) -> Result<ByteStream> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    stream.map(ByteStream::new).map_err(|error| {
        LockError::definite("could not reach the coordination service").because(error)
    })
}

/// Where holder so-and-so finds it.
type Address = dyn Fn(HolderId) -> SocketAddr + Send + Sync;

/// [`Backends`] of which a coordination service is all that there is: a connection for each session of each holder.
pub(super) struct CoordinatorBackends {
    service: Coordinator,
    address: Box<Address>,
}

impl CoordinatorBackends {
    pub(super) fn new(
        service: Coordinator,
        address: impl Fn(HolderId) -> SocketAddr + Send + Sync + 'static,
    ) -> Self {
        Self { service, address: Box::new(address) }
    }
}

impl fmt::Debug for CoordinatorBackends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoordinatorBackends")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Backends for CoordinatorBackends {
    fn redis_servers(&self) -> usize {
        0
    }

    fn redis(&self, _server: usize, _holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        let what = format!("there is no Redis server beside {}", self.service);
        std::future::ready(Err(LockError::definite(what))).boxed()
    }

    fn coordinator(&self, holder: HolderId) -> BoxFuture<'_, Result<ByteStream>> {
        connect((self.address)(holder)).boxed()
    }
}

/// The settings of our clients that can change an outcome, for a report.
pub(super) fn driver_settings(service: Coordinator) -> Vec<DriverSetting> {
    let driver = match service {
        Coordinator::Etcd => "etcd's JSON gateway over HTTP/1.1",
        Coordinator::ZooKeeper => "ZooKeeper's protocol",
    };
    let heartbeats = match service {
        Coordinator::Etcd => {
            "by renewal alone: nothing keeps a lease alive behind the holder's back"
        }
        Coordinator::ZooKeeper => "by renewal alone: nothing pings behind the holder's back",
    };
    [
        ("connections", "one per session of a holder"),
        ("TCP_NODELAY", "on"),
        ("response time limit", "the lock's own"),
        ("retries", "none: no request is sent twice"),
        ("heartbeats", heartbeats),
    ]
    .map(|(setting, value)| DriverSetting {
        driver: driver.to_owned(),
        setting: setting.to_owned(),
        value: value.to_owned(),
    })
    .into()
}

/// Looks into a server and changes it, past every link: for faults and for tests.
#[derive(Debug)]
pub struct CoordinatorView {
    service: Coordinator,
    dial: Dial,
    env: Env,
}

impl CoordinatorView {
    /// Of the server at `address`.
    #[must_use]
    pub fn new(service: Coordinator, address: SocketAddr, env: Env) -> Self {
        Self { service, dial: dial_to(address), env }
    }

    /// The owner values that stand under `lock`, those that have it not among them.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn owners(
        &self,
        settings: &LockSettings,
        lock: &LockName,
    ) -> Result<Vec<String>, RigError> {
        self.look(settings, lock, false).await
    }

    /// Ends every grant of `lock`, as its TTL would; the owner values that stood there.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn expire(
        &self,
        settings: &LockSettings,
        lock: &LockName,
    ) -> Result<Vec<String>, RigError> {
        self.look(settings, lock, true).await
    }

    /// How many keys, or nodes that are not the server's own, there are.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn size(&self) -> Result<u64, RigError> {
        let counted = match self.service {
            Coordinator::Etcd => self.etcd().count().await,
            Coordinator::ZooKeeper => self
                .nodes("/")
                .await
                .map(|nodes| nodes.iter().filter(|node| *node != "zookeeper").map(|_| 1).sum()),
        };
        counted.map_err(|error| self.blind(&error))
    }

    async fn look(
        &self,
        settings: &LockSettings,
        lock: &LockName,
        end: bool,
    ) -> Result<Vec<String>, RigError> {
        let key = settings.plain_key(lock);
        let looked = match self.service {
            Coordinator::Etcd => self.look_into_etcd(&key, end).await,
            Coordinator::ZooKeeper => self.look_into_zookeeper(&node_of(&key), end).await,
        };
        looked.map_err(|error| self.blind(&error))
    }

    fn blind(&self, error: &LockError) -> RigError {
        RigError::new(format!("cannot look into {}", self.service)).because(in_full(error))
    }

    fn etcd(&self) -> EtcdClient {
        EtcdClient::new(self.dial.clone(), self.env.clone(), LOOK_WITHIN)
    }

    async fn zookeeper(&self) -> Result<ZooKeeperSession> {
        let (dial, env) = (self.dial.clone(), self.env.clone());
        let mut session = ZooKeeperSession::new(dial, env, LOOK_WITHIN, LOOK_WITHIN);
        session.begin().await?;
        Ok(session)
    }

    async fn nodes(&self, parent: &str) -> Result<Vec<String>> {
        let mut session = self.zookeeper().await?;
        let nodes = session.children(parent).await?.unwrap_or_default();
        session.end().await?;
        Ok(nodes)
    }

    async fn look_into_etcd(&self, key: &str, end: bool) -> Result<Vec<String>> {
        let mut etcd = self.etcd();
        let Some(held) = etcd.get(key).await? else { return Ok(Vec::new()) };
        if end {
            etcd.revoke(held.lease).await?;
        }
        Ok(vec![held.value])
    }

    async fn look_into_zookeeper(&self, node: &str, end: bool) -> Result<Vec<String>> {
        let children = self.nodes(node).await?;
        if end {
            let mut session = self.zookeeper().await?;
            for child in &children {
                // One that is gone by now has ended as well.
                let _ = session.delete(&format!("{node}/{child}")).await?;
            }
            session.end().await?;
        }
        let owner = |child: String| child.rsplit_once('-').map(|(owner, _)| owner.to_owned());
        Ok(children.into_iter().filter_map(owner).collect())
    }
}

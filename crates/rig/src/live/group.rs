//! Redis servers that are one service to a lock: a sentinel's pair, or a cluster.
//!
//! ```text
//!   holder ── which is the primary? ──▶ sentinel          holder ── by hash slot ──▶ node 1, 2 or 3
//!      └───────────────▶ primary ─ late ─▶ replica
//! ```
//!
//! Holders use the client library's own ways, with its retries off: who sends a command twice turns a lost answer into
//! "somebody else has it". No proxy stands in these links, since servers name each other's addresses.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::{Backends, LockError, RedisConnection};
use lockproof_model::{DriverSetting, HolderId};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisResult};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::provider::RedisServer;

/// What the pair is called at its sentinel.
pub(super) const PRIMARY: &str = "lockproof";
const DIAL_WITHIN: Duration = Duration::from_secs(5);
/// Never the first to give up: the lock's own time limit is.
const ANSWER_WITHIN: Duration = Duration::from_secs(3600);

/// Servers that are one service. Dropping it stops them.
#[derive(Debug)]
pub struct RedisGroup {
    /// Those that faults can tell apart.
    pub servers: Vec<RedisServer>,
    /// How a lock reaches them.
    pub(super) way: GroupWay,
}

/// How a lock reaches servers that are one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GroupWay {
    /// By asking a sentinel for the primary, whenever a connection is dialled.
    Sentinel(SocketAddr),
    /// By hash slot, over one connection to all nodes that all holders share.
    Cluster(Vec<SocketAddr>),
}

/// [`Backends`] by one of these ways: to a lock there is one server.
pub(super) struct GroupBackends {
    way: GroupWay,
    cluster: Arc<OnceCell<ClusterConnection>>,
}

impl GroupBackends {
    pub(super) fn new(way: GroupWay) -> Self {
        Self { way, cluster: Arc::default() }
    }

    pub(super) const fn way(&self) -> &GroupWay {
        &self.way
    }

    pub(super) async fn connect(&self) -> RedisResult<RedisConnection> {
        match &self.way {
            GroupWay::Sentinel(sentinel) => through_sentinel(*sentinel).await,
            GroupWay::Cluster(nodes) => {
                let connection = self.cluster.get_or_try_init(|| to_cluster(nodes)).await?;
                Ok(RedisConnection::new(connection.clone()))
            }
        }
    }

    /// The settings of the client library that can change an outcome, for a report.
    pub(super) fn driver_settings(&self) -> Vec<DriverSetting> {
        let connections = match self.way {
            GroupWay::Sentinel(_) => {
                "one per holder, to the primary that the sentinel names when it is dialled"
            }
            GroupWay::Cluster(_) => "one per node, shared by all holders; keys by hash slot",
        };
        [
            ("connections", connections),
            ("TCP_NODELAY", "on (the library's default is off)"),
            ("response time limit", "off; the lock's own applies"),
            (
                "retries",
                "none: no command is sent twice (the library's default for clusters is 16)",
            ),
        ]
        .map(|(setting, value)| DriverSetting {
            driver: "redis 1.8 (Rust)".to_owned(),
            setting: setting.to_owned(),
            value: value.to_owned(),
        })
        .into()
    }
}

impl Backends for GroupBackends {
    fn redis_servers(&self) -> usize {
        1
    }

    fn redis(
        &self,
        _server: usize,
        _holder: HolderId,
    ) -> BoxFuture<'_, Result<RedisConnection, LockError>> {
        async {
            self.connect().await.map_err(|error| {
                LockError::definite("could not reach the redis servers").because(error)
            })
        }
        .boxed()
    }
}

impl fmt::Debug for GroupBackends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupBackends").field("way", &self.way).finish_non_exhaustive()
    }
}

async fn through_sentinel(sentinel: SocketAddr) -> RedisResult<RedisConnection> {
    let node = SentinelNodeConnectionInfo::default().set_tcp_settings(no_delay());
    let node = node.set_redis_connection_info(RedisConnectionInfo::default());
    let sentinels = vec![format!("redis://{sentinel}")];
    let mut client =
        SentinelClient::build(sentinels, PRIMARY, Some(node), SentinelServerType::Master)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DIAL_WITHIN))
        .set_response_timeout(None);
    let connection = client.get_async_connection_with_config(&config).await?;
    Ok(RedisConnection::new(connection))
}

async fn to_cluster(nodes: &[SocketAddr]) -> RedisResult<ClusterConnection> {
    let nodes = nodes.iter().map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes)
        .retries(0)
        .connection_timeout(DIAL_WITHIN)
        .response_timeout(ANSWER_WITHIN)
        .tcp_settings(no_delay())
        .build()?;
    client.get_async_connection().await
}

fn no_delay() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

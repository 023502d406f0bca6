//! Three primaries that share the keys by hash slot, as processes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::ServerInfo;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use super::children::Spawner;
use super::group::{GroupWay, RedisGroup};
use super::provider::RedisServer;
use super::redis_control::RedisProcess;
use super::redis_server::stand;
use super::straight::dial_address;
use super::workspace::Workspace;
use crate::{RigError, ServerNeeds, Topology};

/// Hash slots of each node, first and last: all 16384.
const SLOTS: [(u32, u32); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];
/// Nodes tell each other of theirs by gossip, several times a second.
const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Starts three nodes, gives each its slots, and waits until each of them knows of all.
pub(super) async fn start(
    spawner: &Arc<Spawner>,
    workspace: &Arc<Workspace>,
    needs: ServerNeeds,
) -> Result<RedisGroup, RigError> {
    let cannot = |error| RigError::new("cannot make a Redis cluster").because(error);
    let (mut servers, mut nodes, mut buses) = (Vec::new(), Vec::new(), Vec::new());
    for _ in SLOTS {
        let (home, running, version) = stand(spawner, workspace, needs, Topology::Cluster).await?;
        nodes.push(home.address);
        buses.push(home.bus.map_or(0, |bus| bus.port()));
        let info = ServerInfo::new("redis-server (cluster)", version);
        let process = RedisProcess::new(home, running, Vec::new());
        servers.push(RedisServer::own(process.address(), info, process)?.without_proxy());
    }
    let first = (nodes[0], buses[0]);
    for (number, (&node, slots)) in nodes.iter().zip(SLOTS).enumerate() {
        join(node, slots, number + 1, first).await.map_err(cannot)?;
    }
    for &node in &nodes {
        knows_all(node).await?;
    }
    Ok(RedisGroup { servers, way: GroupWay::Cluster(nodes) })
}

/// Gives `node` its slots and a place among the others, of whom it meets the first.
async fn join(
    node: SocketAddr,
    (first_slot, last_slot): (u32, u32),
    epoch: usize,
    (first, bus): (SocketAddr, u16),
) -> RedisResult<()> {
    let mut connection = dial_address(node).await?;
    // Told before they meet, none of them has to find out that another's number is its own.
    let mut set_epoch = cluster("SET-CONFIG-EPOCH");
    set_epoch.arg(epoch).query_async::<()>(&mut connection).await?;
    let mut add = cluster("ADDSLOTSRANGE");
    add.arg(first_slot).arg(last_slot).query_async::<()>(&mut connection).await?;
    if node == first {
        return Ok(());
    }
    let mut meet = cluster("MEET");
    meet.arg(first.ip().to_string()).arg(first.port()).arg(bus);
    meet.query_async(&mut connection).await
}

async fn knows_all(node: SocketAddr) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    let mut last = String::new();
    while tokio::time::Instant::now() < deadline {
        match looks(node).await {
            Ok(info) if is_whole(&info) => return Ok(()),
            Ok(info) => last = info.lines().next().unwrap_or_default().to_owned(),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
    let what = format!(
        "a node of the Redis cluster did not find the others within {READY_WITHIN:?}: {last}"
    );
    Err(RigError::new(what))
}

async fn looks(node: SocketAddr) -> RedisResult<String> {
    let mut connection: MultiplexedConnection = dial_address(node).await?;
    cluster("INFO").query_async(&mut connection).await
}

fn is_whole(info: &str) -> bool {
    let has = |line: &str| info.lines().any(|other| other.trim() == line);
    has("cluster_state:ok")
        && has("cluster_slots_assigned:16384")
        && has("cluster_known_nodes:3")
        && has("cluster_size:3")
}

fn cluster(what: &str) -> redis::Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg(what);
    command
}

//! A primary and its replica as processes, and the sentinel that watches them.
//!
//! One sentinel, which is its own majority: how sentinels agree is not what a lock suffers from, that they promote a
//! replica without its last writes is. What a fault does is done to the primary of the moment.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::ServerInfo;
use redis::aio::MultiplexedConnection;
use redis::{InfoDict, RedisResult};

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::control::Control;
use super::group::{GroupWay, PRIMARY, RedisGroup};
use super::provider::RedisServer;
use super::redis_control::{RedisProcess, Strings, differences};
use super::redis_server::{Home, free_address, stand};
use super::replica::{Replica, ReplicationLink};
use super::straight::dial_address;
use super::workspace::Workspace;
use crate::{RigError, ServerEffect, ServerNeeds, Topology};

/// A server that is silent for so long is down. Shorter, and a busy machine makes failovers of its own.
const DOWN_AFTER_MS: u32 = 1000;
/// So long does a sentinel leave a replica alone that follows somebody else than it thinks: the link that makes it late.
const LEAVE_ALONE_MS: u32 = 3_600_000;
const TRIES: u32 = 5;
const READY_WITHIN: Duration = Duration::from_secs(30);
const PROMOTED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Starts a pair whose replica is as far behind as `needs` says, and a sentinel, and waits until that knows both.
pub(super) async fn start(
    spawner: &Arc<Spawner>,
    workspace: &Arc<Workspace>,
    needs: ServerNeeds,
) -> Result<RedisGroup, RigError> {
    let alone = ServerNeeds { replica_lag: None, replicas: 0, ..needs };
    let (home, running, version) = stand(spawner, workspace, alone, Topology::Sentinel).await?;
    let lag = needs.replica_lag.unwrap_or(Duration::ZERO);
    let (replica, link) = Replica::start(&home, lag).await?.apart();
    let sentinel = watch(&home, replica.address()).await?;
    let way = GroupWay::Sentinel(sentinel.address);
    let primary = RedisProcess::new(home, running, Vec::new());
    let address = primary.address();
    let state = State { link: Some(link), suffered: Vec::new(), held: None };
    let pair = Pair { sentinel, nodes: [primary, replica], state: Mutex::new(state) };
    let info = ServerInfo::new("redis-server (pair with a sentinel)", version);
    let server = RedisServer::own(address, info, pair)?.without_proxy();
    Ok(RedisGroup { servers: vec![server], way })
}

/// A sentinel process. Dropping it kills it.
#[derive(Debug)]
struct Sentinel {
    address: SocketAddr,
    _running: Running,
}

/// The pair, as faults see it. Fields drop in this order: without its sentinel nobody is promoted any more.
#[derive(Debug)]
struct Pair {
    sentinel: Sentinel,
    nodes: [RedisProcess; 2],
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Until the replica is promoted or cut off.
    link: Option<ReplicationLink>,
    /// What was done to which node and is not over.
    suffered: Vec<(ServerEffect, usize)>,
    /// What the primary held when it went down.
    held: Option<Strings>,
}

impl Pair {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which node the sentinel calls the primary.
    async fn primary(&self) -> Result<usize, RigError> {
        let unreachable = |error| RigError::new("cannot ask the sentinel").because(error);
        let mut connection = dial_address(self.sentinel.address).await.map_err(unreachable)?;
        let named = primary(&mut connection).await.map_err(unreachable)?;
        let node = self.nodes.iter().position(|node| node.address() == named);
        node.ok_or_else(|| RigError::new(format!("the sentinel names {named}, which is no node")))
    }

    async fn crash(&self, effect: ServerEffect) -> Result<Vec<String>, RigError> {
        let node = self.primary().await?;
        let held = self.nodes[node].strings().await?;
        let told = self.nodes[node].begin(effect).await?;
        let mut state = self.state();
        state.suffered.push((effect, node));
        state.held = Some(held);
        Ok(told)
    }

    /// Where the sentinel has promoted the other meanwhile, the one that comes back is its replica.
    async fn restart(&self, effect: ServerEffect, node: usize) -> Result<Vec<String>, RigError> {
        let mut told = self.promoted(node).await?;
        told.extend(self.nodes[node].end(effect).await?);
        Ok(told)
    }

    /// Whether the sentinel has put another in the place of `node`, and what that one lacks.
    async fn promoted(&self, node: usize) -> Result<Vec<String>, RigError> {
        let held = self.state().held.take().unwrap_or_default();
        let now = self.primary().await?;
        if now == node {
            return Ok(Vec::new());
        }
        let address = self.nodes[now].address();
        let mut told = vec![format!("was replaced by {address}, which the sentinel promoted")];
        told.extend(differences(&held, &self.nodes[now].strings().await?, "its replica"));
        Ok(told)
    }

    async fn fail_over(&self) -> Result<Vec<String>, RigError> {
        let node = self.primary().await?;
        let held = self.nodes[node].strings().await?;
        self.state().held = Some(held);
        // What is on its way is lost, as with a primary that is cut off.
        let link = self.state().link.take();
        if let Some(mut link) = link {
            link.cut().await;
        }
        let refused = |error| RigError::new("the sentinel refuses a failover").because(error);
        let mut connection = dial_address(self.sentinel.address).await.map_err(refused)?;
        let mut order = redis::cmd("SENTINEL");
        order.arg("FAILOVER").arg(PRIMARY);
        order.query_async::<()>(&mut connection).await.map_err(refused)?;
        let new = self.until_promoted(node).await?;
        // What a sentinel does by itself some seconds later: until then holders would go on at the old one.
        demote(self.nodes[node].address(), new).await.map_err(|error| {
            RigError::new("cannot make the old primary a replica").because(error)
        })?;
        self.promoted(node).await
    }

    async fn until_promoted(&self, old: usize) -> Result<SocketAddr, RigError> {
        let deadline = tokio::time::Instant::now() + PROMOTED_WITHIN;
        loop {
            let now = self.primary().await?;
            if now != old && is_primary(self.nodes[now].address()).await {
                return Ok(self.nodes[now].address());
            }
            if tokio::time::Instant::now() >= deadline {
                let what = format!("the sentinel promoted nobody within {PROMOTED_WITHIN:?}");
                return Err(RigError::new(what));
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
        }
    }

    /// The node that suffers `effect`, which is to be over.
    fn over(&self, effect: ServerEffect) -> Option<usize> {
        let mut state = self.state();
        let place = state.suffered.iter().rposition(|(suffered, _)| *suffered == effect)?;
        Some(state.suffered.remove(place).1)
    }
}

impl Control for Pair {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Failover { .. } => self.fail_over().await,
                ServerEffect::Crash { .. } => self.crash(effect).await,
                _ => {
                    let node = self.primary().await?;
                    self.state().suffered.push((effect, node));
                    self.nodes[node].begin(effect).await
                }
            }
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            let Some(node) = self.over(effect) else { return Ok(Vec::new()) };
            match effect {
                ServerEffect::Crash { .. } => self.restart(effect, node).await,
                _ => self.nodes[node].end(effect).await,
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        if let Some(node) = self.over(effect) {
            self.nodes[node].relieve(effect);
        }
    }
}

/// Starts a sentinel that watches the server of `home`, and waits until it knows `replica` too.
async fn watch(home: &Home, replica: SocketAddr) -> Result<Sentinel, RigError> {
    let mut last = None;
    for _ in 0..TRIES {
        let mut sentinel = spawn(home)?;
        match knows(&mut sentinel, replica).await {
            Ok(()) => return Ok(sentinel),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("there was at least one try"))
}

fn spawn(home: &Home) -> Result<Sentinel, RigError> {
    let cannot = |error| RigError::new("cannot start a sentinel").because(error);
    let program = find_program("redis-server", &[])
        .ok_or_else(|| RigError::new("redis-server is not on PATH any more"))?;
    let address = free_address().map_err(cannot)?;
    let (spawner, workspace) = home.surroundings();
    let directory = workspace.directory(&format!("sentinel-{}", address.port())).map_err(cannot)?;
    let (host, port) = (home.address.ip(), home.address.port());
    // A file, since a sentinel writes down in it whom it has seen.
    let settings = format!(
        "bind 127.0.0.1\nport {}\nlogfile sentinel.log\n\
         sentinel monitor {PRIMARY} {host} {port} 1\n\
         sentinel down-after-milliseconds {PRIMARY} {DOWN_AFTER_MS}\n\
         sentinel failover-timeout {PRIMARY} {LEAVE_ALONE_MS}\n",
        address.port()
    );
    std::fs::write(directory.join("sentinel.conf"), settings).map_err(cannot)?;
    let running = spawner.spawn(&program, None, DeathSignal::Kill, |command| {
        command.args(["sentinel.conf", "--sentinel"]).current_dir(&directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    Ok(Sentinel { address, _running: running.map_err(cannot)? })
}

async fn knows(sentinel: &mut Sentinel, replica: SocketAddr) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    while tokio::time::Instant::now() < deadline {
        if let Some(status) = sentinel._running.exited() {
            return Err(RigError::new(format!("a sentinel ended with {status}")));
        }
        if has_seen(sentinel.address, replica).await.unwrap_or(false) {
            return Ok(());
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
    Err(RigError::new(format!("a sentinel did not see the replica within {READY_WITHIN:?}")))
}

/// Whether the sentinel has heard from the replica itself: of one that it merely knows of it promotes none.
async fn has_seen(sentinel: SocketAddr, replica: SocketAddr) -> RedisResult<bool> {
    let mut connection = dial_address(sentinel).await?;
    let mut ask = redis::cmd("SENTINEL");
    let replicas: Vec<std::collections::BTreeMap<String, String>> =
        ask.arg("REPLICAS").arg(PRIMARY).query_async(&mut connection).await?;
    let port = replica.port().to_string();
    Ok(replicas.iter().any(|seen| {
        let is = |field: &str, value: &str| seen.get(field).is_some_and(|other| other == value);
        is("port", &port)
            && is("flags", "slave")
            && is("role-reported", "slave")
            && !is("runid", "")
    }))
}

async fn primary(connection: &mut MultiplexedConnection) -> RedisResult<SocketAddr> {
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(PRIMARY);
    let (host, port): (String, u16) = ask.query_async(connection).await?;
    let wrong = |error: std::net::AddrParseError| std::io::Error::other(error).into();
    host.parse().map(|ip: std::net::IpAddr| SocketAddr::from((ip, port))).map_err(wrong)
}

async fn is_primary(node: SocketAddr) -> bool {
    let asked = async {
        let mut connection = dial_address(node).await?;
        let mut info = redis::cmd("INFO");
        let info: RedisResult<InfoDict> =
            info.arg("replication").query_async(&mut connection).await;
        info
    };
    let info = asked.await.ok();
    info.and_then(|info| info.get::<String>("role")).as_deref() == Some("master")
}

async fn demote(old: SocketAddr, new: SocketAddr) -> RedisResult<()> {
    let mut connection = dial_address(old).await?;
    let mut follow = redis::cmd("REPLICAOF");
    follow.arg(new.ip().to_string()).arg(new.port());
    follow.query_async::<()>(&mut connection).await?;
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes");
    kill.query_async(&mut connection).await
}

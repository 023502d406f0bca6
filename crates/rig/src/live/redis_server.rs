//! A redis-server process of the run's own: how it is set up, started and told from others.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockproof_clock_shim::SteeredClock;
use lockproof_model::ServerInfo;
use redis::InfoDict;

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::provider::RedisServer;
use super::redis_control::RedisProcess;
use super::replica::{self, Replica};
use super::workspace::Workspace;
use crate::{Keeps, RigError, ServerNeeds, Topology};

/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
const READY_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// Wherever it runs. A replica is there from the start, so nobody is to wait for another.
pub(super) const SETTINGS: &[&str] =
    &["--save", "", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0"];
/// A node that is gone takes its own slots along and leaves the others to their work. One that comes back tells what it
/// has kept before the others let it in again.
const CLUSTER: &[&str] = &[
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "1000",
    "--cluster-require-full-coverage",
    "no",
    "--cluster-allow-reads-when-down",
    "yes",
];

/// Where and how a server runs: enough to start it again.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) address: SocketAddr,
    /// What it keeps, in its own directory.
    pub(super) directory: PathBuf,
    pub(super) needs: ServerNeeds,
    pub(super) clock: Option<Mutex<SteeredClock>>,
    /// Where it speaks with the others of its cluster.
    pub(super) bus: Option<SocketAddr>,
    program: PathBuf,
    spawner: Arc<Spawner>,
    /// The directory is inside.
    _workspace: Arc<Workspace>,
}

/// Starts a redis-server on a free loopback port, ready for what faults will ask of it, and waits until it answers.
pub(super) async fn start(
    spawner: &Arc<Spawner>,
    workspace: &Arc<Workspace>,
    needs: ServerNeeds,
) -> Result<RedisServer, RigError> {
    let mut last = None;
    for _ in 0..TRIES {
        let home = Home::prepare(free_address().map_err(cannot)?, spawner, workspace, needs)?;
        match serve(home).await {
            Ok(server) => return Ok(server),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("there was at least one try"))
}

/// The same without a replica, as a node of a cluster or alone, for somebody who makes more of it.
pub(super) async fn stand(
    spawner: &Arc<Spawner>,
    workspace: &Arc<Workspace>,
    needs: ServerNeeds,
    topology: Topology,
) -> Result<(Home, Running, String), RigError> {
    let mut last = None;
    for _ in 0..TRIES {
        let home = Home::prepare(free_address().map_err(cannot)?, spawner, workspace, needs)?;
        let home = if topology == Topology::Cluster { home.in_a_cluster()? } else { home };
        match home.start(None).await {
            Ok((running, version)) => return Ok((home, running, version)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("there was at least one try"))
}

async fn serve(home: Home) -> Result<RedisServer, RigError> {
    let (running, version) = home.start(None).await?;
    let mut replicas = Vec::new();
    for lag in home.needs.replica_lags() {
        replicas.push(Replica::start(&home, lag).await?);
    }
    if home.needs.replicas > 0 {
        replica::acknowledged(home.address, replicas.len()).await?;
    }
    let info = ServerInfo::new("redis-server", version);
    RedisServer::own(home.address, info, RedisProcess::new(home, running, replicas))
}

impl Home {
    pub(super) fn prepare(
        address: SocketAddr,
        spawner: &Arc<Spawner>,
        workspace: &Arc<Workspace>,
        needs: ServerNeeds,
    ) -> Result<Self, RigError> {
        let program = find_program("redis-server", &[]).ok_or_else(|| {
            RigError::new(
                "redis-server is not on PATH; install it (Debian: apt-get install redis-server) or use --provider embedded",
            )
        })?;
        let name = format!("redis-{}-{:08x}", address.port(), lockproof_env::live::entropy());
        let directory = workspace.directory(&name).map_err(cannot)?;
        let clock = if needs.clock {
            let clock = SteeredClock::create(&directory).map_err(|error| {
                RigError::new("cannot put redis-server's clock into our hands").because(error)
            })?;
            Some(Mutex::new(clock))
        } else {
            None
        };
        let (spawner, workspace) = (Arc::clone(spawner), Arc::clone(workspace));
        let bus = None;
        Ok(Self { address, directory, needs, clock, bus, program, spawner, _workspace: workspace })
    }

    /// The same as a node of a cluster.
    fn in_a_cluster(self) -> Result<Self, RigError> {
        Ok(Self { bus: Some(free_address().map_err(cannot)?), ..self })
    }

    /// A home beside this one, for a replica of it.
    pub(super) fn beside(&self) -> Result<Self, RigError> {
        let needs =
            ServerNeeds { keeps: Keeps::Nothing, replica_lag: None, replicas: 0, ..self.needs };
        let address = free_address().map_err(cannot)?;
        Self::prepare(address, &self.spawner, &self._workspace, needs)
    }

    /// Starts the server, as a replica of `primary` where there is one, and waits until it answers. Gives its version
    /// too.
    pub(super) async fn start(
        &self,
        primary: Option<SocketAddr>,
    ) -> Result<(Running, String), RigError> {
        let mut running = self.spawn(primary)?;
        let version = self.ready(&mut running).await?;
        Ok((running, version))
    }

    /// The thread that starts its children, and the directory that is around its own.
    pub(super) const fn surroundings(&self) -> (&Arc<Spawner>, &Arc<Workspace>) {
        (&self.spawner, &self._workspace)
    }

    pub(super) fn spawn(&self, primary: Option<SocketAddr>) -> Result<Running, RigError> {
        let port = self.address.port().to_string();
        let spawned = self.spawner.spawn(&self.program, None, DeathSignal::Kill, |command| {
            command
                .args(["--bind", "127.0.0.1", "--port", &port])
                .args(SETTINGS)
                .args(["--logfile", "redis.log", "--daemonize", "no"])
                .args(persistence(self.needs.keeps))
                .current_dir(&self.directory)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if let Some(bus) = self.bus {
                command.args(CLUSTER).args(["--cluster-port", &bus.port().to_string()]);
            }
            if let Some(primary) = primary {
                let (host, port) = (primary.ip().to_string(), primary.port().to_string());
                command.arg("--replicaof").arg(host).arg(port);
            }
            if let Some(clock) = &self.clock {
                let clock = clock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                command.envs(clock.environment());
            }
        });
        spawned.map_err(cannot)
    }

    /// Waits until the server answers `INFO`, or says why it will not; gives its version.
    ///
    /// It has to be this very process that answers: the port was free a moment ago, and whoever took it since may well
    /// be a Redis too, of another run.
    pub(super) async fn ready(&self, running: &mut Running) -> Result<String, RigError> {
        let deadline = tokio::time::Instant::now() + READY_WITHIN;
        loop {
            if let Ok((version, process)) = who_answers(self.address).await
                && process == Some(running.id())
            {
                return Ok(version);
            }
            if let Some(status) = running.exited() {
                let log =
                    std::fs::read_to_string(self.directory.join("redis.log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it wrote no log");
                return Err(RigError::new(format!("redis-server ended with {status}: {last}")));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(RigError::new(format!(
                    "redis-server did not answer within {READY_WITHIN:?}"
                )));
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
        }
    }
}

/// The append-only file notes the time, so that it can be cut where a second began.
pub(super) fn persistence(keeps: Keeps) -> Vec<&'static str> {
    let synced = match keeps {
        Keeps::Nothing => return vec!["--appendonly", "no"],
        Keeps::EverySecond => "everysec",
        Keeps::Everything => "always",
    };
    vec!["--appendonly", "yes", "--appendfsync", synced, "--aof-timestamp-enabled", "yes"]
}

/// The version of the server, and the number of its process.
pub(super) async fn who_answers(address: SocketAddr) -> redis::RedisResult<(String, Option<u32>)> {
    let client = redis::Client::open(format!("redis://{address}"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let info: InfoDict = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    // While it still reads what it had kept, it answers this and nothing else.
    redis::cmd("PING").query_async::<()>(&mut connection).await?;
    let version = info.get("redis_version").unwrap_or_else(|| "unknown".to_owned());
    Ok((version, info.get("process_id")))
}

/// A loopback address that nobody listens on just now.
pub(super) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn cannot(error: std::io::Error) -> RigError {
    RigError::new("cannot start redis-server").because(error)
}

/// Whether `path` is there, for tests that need to look.
#[cfg(test)]
pub(super) fn is_installed() -> bool {
    find_program("redis-server", &[]).as_deref().is_some_and(std::path::Path::is_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_of_somebody_else_on_the_port_is_not_taken_for_ones_own() {
        if !is_installed() {
            return;
        }
        let spawner = Arc::new(Spawner::start().unwrap());
        let workspace = Arc::new(Workspace::create().unwrap());
        let first = start(&spawner, &workspace, ServerNeeds::default()).await.unwrap();
        let taken = first.tcp.unwrap();
        let home = Home::prepare(taken, &spawner, &workspace, ServerNeeds::default()).unwrap();
        let error = serve(home).await.unwrap_err();
        assert!(error.to_string().starts_with("redis-server ended with"), "{error}");
    }
}

//! A redis-server process of the run's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use lockproof_model::ServerInfo;
use redis::InfoDict;

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::provider::RedisServer;
use super::workspace::Workspace;
use crate::RigError;

/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
const READY_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// Starts a redis-server without persistence on a free loopback port, and waits until it answers.
pub(super) async fn start(
    spawner: &Spawner,
    workspace: &Workspace,
) -> Result<RedisServer, RigError> {
    let program = find_program("redis-server", &[]).ok_or_else(|| {
        RigError::new(
            "redis-server is not on PATH; install it (Debian: apt-get install redis-server) or use --provider embedded",
        )
    })?;
    let mut last = None;
    for _ in 0..TRIES {
        match launch(spawner, workspace, &program).await {
            Ok(server) => return Ok(server),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("there was at least one try"))
}

async fn launch(
    spawner: &Spawner,
    workspace: &Workspace,
    program: &Path,
) -> Result<RedisServer, RigError> {
    let address = free_address()
        .map_err(|error| RigError::new("cannot start redis-server").because(error))?;
    launch_at(address, spawner, workspace, program).await
}

async fn launch_at(
    address: SocketAddr,
    spawner: &Spawner,
    workspace: &Workspace,
    program: &Path,
) -> Result<RedisServer, RigError> {
    let cannot = |error| RigError::new("cannot start redis-server").because(error);
    let directory = workspace
        .directory(&format!("redis-{}-{:08x}", address.port(), lockproof_env::live::entropy()))
        .map_err(cannot)?;
    let port = address.port().to_string();
    let running = spawner
        .spawn(program, None, DeathSignal::Kill, |command| {
            command
                .args(["--bind", "127.0.0.1", "--port", &port])
                .args(["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"])
                .args(["--logfile", "redis.log", "--daemonize", "no"])
                .current_dir(&directory)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
        })
        .map_err(cannot)?;
    ready(running, address, &directory).await
}

/// Waits until the server answers `INFO`, or says why it will not.
///
/// It has to be this very process that answers: the port was free a moment ago, and whoever took it since may well be
/// a Redis too, of another run.
async fn ready(
    mut running: Running,
    address: SocketAddr,
    directory: &Path,
) -> Result<RedisServer, RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    loop {
        if let Ok((version, process)) = who_answers(address).await
            && process == Some(running.id())
        {
            return RedisServer::own(address, ServerInfo::new("redis-server", version), running);
        }
        if let Some(status) = running.exited() {
            let log = std::fs::read_to_string(directory.join("redis.log")).unwrap_or_default();
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

/// The version of the server, and the number of its process.
async fn who_answers(address: SocketAddr) -> redis::RedisResult<(String, Option<u32>)> {
    let client = redis::Client::open(format!("redis://{address}"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let info: InfoDict = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = info.get("redis_version").unwrap_or_else(|| "unknown".to_owned());
    Ok((version, info.get("process_id")))
}

/// A loopback address that nobody listens on just now.
pub(super) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_of_somebody_else_on_the_port_is_not_taken_for_ones_own() {
        let Some(program) = find_program("redis-server", &[]) else { return };
        let (spawner, workspace) = (Spawner::start().unwrap(), Workspace::create().unwrap());
        let first = start(&spawner, &workspace).await.unwrap();
        let error =
            launch_at(first.tcp.unwrap(), &spawner, &workspace, &program).await.unwrap_err();
        assert!(error.to_string().starts_with("redis-server ended with"), "{error}");
    }
}

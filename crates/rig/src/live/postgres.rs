//! A Postgres cluster of the run's own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lockproof_bookings::PostgresAddress;
use rustix::process::{Signal, geteuid};

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::provider::Database;
use super::redis_server::free_address;
use super::workspace::Workspace;
use crate::RigError;

const USER: &str = "lockproof";
/// Whom the server runs as when the program is root, which Postgres refuses to be.
const UNPRIVILEGED: &str = "postgres";
/// Every holder has its own connection, and cells run side by side.
const CONNECTIONS: &str = "max_connections=500";
/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A running cluster; dropping it shuts it down.
#[derive(Debug)]
pub(super) struct Cluster {
    running: Running,
    address: SocketAddr,
}

impl Cluster {
    /// Makes a cluster with `initdb` in the workspace, starts it and waits until it answers.
    pub(super) async fn start(spawner: &Spawner, workspace: &Workspace) -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up Postgres").because(error);
        let user = if geteuid().is_root() { Some(UNPRIVILEGED) } else { None };
        // Named anew at each try: one that failed leaves its directory to be looked at.
        let name = format!("postgres-{:08x}", lockproof_env::live::entropy());
        let directory = workspace.directory(&name).map_err(cannot)?;
        if user.is_some() {
            hand_over(&directory)?;
        }
        initialise(spawner, user, &directory).await?;
        let mut last = None;
        for _ in 0..TRIES {
            let address = free_address().map_err(cannot)?;
            match Self::launch_at(address, spawner, user, &directory).await {
                Ok(cluster) => return Ok(cluster),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    async fn launch_at(
        address: SocketAddr,
        spawner: &Spawner,
        user: Option<&str>,
        directory: &Path,
    ) -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot start Postgres").because(error);
        let port = address.port().to_string();
        let log = fs::File::create(directory.with_extension("log")).map_err(cannot)?;
        let running = spawner
            .spawn(&program("postgres")?, user, DeathSignal::Quit, |command| {
                command
                    .arg("-D")
                    .arg(directory.join("data"))
                    .args(["-h", "127.0.0.1", "-p", &port, "-c", CONNECTIONS])
                    .arg("-k")
                    .arg(directory)
                    .current_dir(directory)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::from(log));
            })
            .map_err(cannot)?;
        let mut cluster = Self { running, address };
        cluster.ready(directory).await?;
        Ok(cluster)
    }

    /// A schema of its own for `name`; the store creates it.
    pub(super) fn database(&self, name: &str) -> Database {
        let mut schema: String = format!("lockproof_{name}")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        schema.truncate(63); // Postgres cuts longer names off, in silence
        // As text, since a holder's process is told it so.
        let url = format!("postgres://{USER}@{}/postgres?sslmode=disable", self.address);
        let address = url.parse::<PostgresAddress>().expect("our own URL can be read");
        Database::Postgres {
            address: Box::new(address),
            tcp: Some(self.address),
            schema,
            settings: Vec::new(),
        }
    }

    /// Waits until the server says in its own directory that it is ready, and answers: an answer alone may be that of
    /// somebody else, who took the port since it was free.
    async fn ready(&mut self, directory: &Path) -> Result<(), RigError> {
        let deadline = tokio::time::Instant::now() + READY_WITHIN;
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.address.port()).user(USER).dbname("postgres");
        loop {
            if says_ready(directory) && config.connect(tokio_postgres::NoTls).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.running.exited() {
                let text = fs::read_to_string(directory.with_extension("log")).unwrap_or_default();
                let last = text.lines().last().unwrap_or("it wrote no log").to_owned();
                return Err(RigError::new(format!("Postgres ended with {status}: {last}")));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(RigError::new(format!(
                    "Postgres did not answer within {READY_WITHIN:?}"
                )));
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A fast shutdown: sessions are ended, nothing waits for them.
        self.running.stop(Signal::INT, STOP_WITHIN);
    }
}

/// Whether the cluster in `directory` has said that it takes connections: the eighth line of its `postmaster.pid`.
fn says_ready(directory: &Path) -> bool {
    let text = fs::read_to_string(directory.join("data/postmaster.pid")).unwrap_or_default();
    text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
}

async fn initialise(
    spawner: &Spawner,
    user: Option<&str>,
    directory: &Path,
) -> Result<(), RigError> {
    let cannot = |error| RigError::new("cannot run initdb").because(error);
    let log = fs::File::create(directory.with_extension("initdb.log")).map_err(cannot)?;
    let errors = log.try_clone().map_err(cannot)?;
    let mut running = spawner
        .spawn(&program("initdb")?, user, DeathSignal::Kill, |command| {
            command
                .arg("-D")
                .arg(directory.join("data"))
                .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
                .current_dir(directory)
                .stdin(Stdio::null())
                .stdout(Stdio::from(log))
                .stderr(Stdio::from(errors));
        })
        .map_err(cannot)?;
    let status = loop {
        match running.exited() {
            Some(status) => break status,
            None => tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await,
        }
    };
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(directory.with_extension("initdb.log")).unwrap_or_default();
    let last = text.lines().last().unwrap_or("it said nothing").to_owned();
    Err(RigError::new(format!("initdb ended with {status}: {last}")))
}

/// A program of the Postgres server; Debian keeps them off PATH, by version.
pub(super) fn program(name: &str) -> Result<PathBuf, RigError> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort_unstable();
    let newest_first: Vec<PathBuf> =
        versions.into_iter().rev().map(|(_, path)| path.join("bin")).collect();
    find_program(name, &newest_first).ok_or_else(|| {
        RigError::new(format!(
            "Postgres' {name} was found neither on PATH nor under /usr/lib/postgresql; install it (Debian: apt-get install postgresql) or use --provider embedded"
        ))
    })
}

/// Gives the directory to the user that the server will run as.
fn hand_over(directory: &Path) -> Result<(), RigError> {
    let missing = || {
        RigError::new(format!(
            "Postgres does not run as root, and this machine has no user `{UNPRIVILEGED}` to run it as; install Debian's postgresql package, or run as another user"
        ))
    };
    let users = fs::read_to_string("/etc/passwd").map_err(|error| missing().because(error))?;
    let line = users.lines().find(|line| line.starts_with(&format!("{UNPRIVILEGED}:")));
    let mut fields = line.ok_or_else(missing)?.split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse::<u32>().ok());
    let (user, group) = number().zip(number()).ok_or_else(missing)?;
    std::os::unix::fs::chown(directory, Some(user), Some(group))
        .map_err(|error| RigError::new("cannot hand the data directory over").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_of_somebody_else_on_the_port_is_not_taken_for_ones_own() {
        if program("postgres").is_err() || program("initdb").is_err() {
            return;
        }
        let (spawner, first) = (Spawner::start().unwrap(), Workspace::create().unwrap());
        let cluster = Cluster::start(&spawner, &first).await.unwrap();
        let second = Workspace::create().unwrap();
        let user = if geteuid().is_root() { Some(UNPRIVILEGED) } else { None };
        let directory = second.directory("postgres").unwrap();
        if user.is_some() {
            hand_over(&directory).unwrap();
        }
        initialise(&spawner, user, &directory).await.unwrap();
        let launched = Cluster::launch_at(cluster.address, &spawner, user, &directory).await;
        let error = launched.unwrap_err().to_string();
        assert!(error.starts_with("Postgres ended with"), "{error}");
    }
}

//! A Postgres cluster of the run's own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{Dialled, PostgresAddress};
use lockproof_clock_shim::SteeredClock;
use rustix::process::{Signal, geteuid};
use tokio_postgres::error::SqlState;

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::database_control::{DatabaseHome, DatabaseProcess, Parent};
use super::own_server;
#[cfg(feature = "container")]
use super::own_server::{POLL, READY_WITHIN};
use super::provider::Database;
use super::redis_server::free_address;
use super::small_disk::SmallDisk;
use super::workspace::Workspace;
use crate::{RigError, ServerNeeds};

const USER: &str = "lockproof";
/// Whom the server runs as when the program is root, which Postgres refuses to be.
const UNPRIVILEGED: &str = "postgres";
/// Every holder has its own connection, and cells run side by side.
pub(super) const CONNECTIONS: &str = "max_connections=500";
/// On a small disk its log of changes must not be what fills it.
const SMALL_WAL: &[&str] = &["max_wal_size=32MB", "min_wal_size=32MB"];
/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running cluster; dropping it shuts it down.
#[derive(Debug)]
pub(super) struct Cluster {
    postmaster: Postmaster,
    home: Home,
}

/// The first process of a cluster. Dropping it shuts the cluster down.
#[derive(Debug)]
struct Postmaster(Running);

/// Where and how a cluster runs: enough to start it again.
#[derive(Debug)]
struct Home {
    address: SocketAddr,
    /// Its own; with a small disk, that disk.
    directory: PathBuf,
    clock: Option<Mutex<SteeredClock>>,
    disk: Option<SmallDisk>,
    user: Option<&'static str>,
    spawner: Arc<Spawner>,
    /// The directory is inside.
    _workspace: Arc<Workspace>,
}

impl Cluster {
    /// Makes a cluster with `initdb` in the workspace, ready for what faults will ask of it, starts it and waits until
    /// it answers.
    pub(super) async fn start(
        spawner: &Arc<Spawner>,
        workspace: &Arc<Workspace>,
        needs: ServerNeeds,
    ) -> Result<Self, RigError> {
        let mut home = Home::prepare(spawner, workspace, needs).await?;
        let mut last = None;
        for _ in 0..TRIES {
            home.address = free_address().map_err(cannot_set_up)?;
            match home.start().await {
                Ok(postmaster) => return Ok(Self { postmaster, home }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    /// A schema of its own for `name`; the store creates it.
    pub(super) fn database(&self, name: &str) -> Database {
        Database::Postgres {
            address: Box::new(address_of(USER, self.home.address)),
            tcp: Some(self.home.address),
            schema: schema_of(name),
            settings: Vec::new(),
        }
    }

    /// The same in the hands of faults.
    pub(super) fn controlled(self) -> Result<DatabaseProcess, RigError> {
        DatabaseProcess::new(Box::new(self.home), Box::new(self.postmaster))
    }
}

impl Home {
    async fn prepare(
        spawner: &Arc<Spawner>,
        workspace: &Arc<Workspace>,
        needs: ServerNeeds,
    ) -> Result<Self, RigError> {
        let user = if geteuid().is_root() { Some(UNPRIVILEGED) } else { None };
        // Named anew at each try: one that failed leaves its directory to be looked at.
        let name = format!("postgres-{:08x}", lockproof_env::live::entropy());
        let directory = workspace.directory(&name).map_err(cannot_set_up)?;
        let disk = if needs.small_disk { Some(SmallDisk::mount(&directory)?) } else { None };
        if let Some(user) = user {
            own_server::hand_over(&directory, user, "Postgres", "postgresql")?;
        }
        initialise(spawner, user, &directory).await?;
        let clock = if needs.clock {
            let clock = SteeredClock::create(&directory).map_err(|error| {
                RigError::new("cannot put Postgres' clock into our hands").because(error)
            })?;
            Some(Mutex::new(clock))
        } else {
            None
        };
        Ok(Self {
            address: free_address().map_err(cannot_set_up)?,
            directory,
            clock,
            disk,
            user,
            spawner: Arc::clone(spawner),
            _workspace: Arc::clone(workspace),
        })
    }

    fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user(USER).dbname("postgres");
        config
    }

    async fn connect(&self) -> Result<Dialled, RigError> {
        let dialled = PostgresAddress::from(self.config()).connect().await;
        dialled.map_err(|error| RigError::new("could not ask it to answer").because(error))
    }

    /// Starts the server and waits until it answers.
    async fn start(&self) -> Result<Postmaster, RigError> {
        let cannot = |error| RigError::new("cannot start Postgres").because(error);
        let port = self.address.port().to_string();
        let log = fs::File::create(self.directory.with_extension("log")).map_err(cannot)?;
        let running =
            self.spawner.spawn(&program("postgres")?, self.user, DeathSignal::Quit, |command| {
                command
                    .arg("-D")
                    .arg(self.directory.join("data"))
                    .args(["-h", "127.0.0.1", "-p", &port, "-c", CONNECTIONS])
                    .arg("-k")
                    .arg(&self.directory)
                    .current_dir(&self.directory)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::from(log));
                if self.disk.is_some() {
                    command.args(SMALL_WAL.iter().flat_map(|setting| ["-c", setting]));
                }
                if let Some(clock) = &self.clock {
                    let clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
                    command.envs(clock.environment());
                }
            });
        let mut postmaster = Postmaster(running.map_err(cannot)?);
        self.ready(&mut postmaster.0).await?;
        Ok(postmaster)
    }

    /// Waits until the server says in its own directory that it is ready, and answers: an answer alone may be that of
    /// somebody else, who took the port since it was free.
    async fn ready(&self, running: &mut Running) -> Result<(), RigError> {
        let (config, process) = (self.config(), running.id());
        let is_ready = || async {
            says_ready(&self.directory, process)
                && config.connect(tokio_postgres::NoTls).await.is_ok()
        };
        let log = self.directory.with_extension("log");
        own_server::until_ready(running, "Postgres", &log, is_ready).await
    }
}

impl DatabaseHome for Home {
    fn deed(&self) -> &'static str {
        // A stopped process hears nothing but this, and then shuts down at once.
        "if [ -n \"$last\" ]; then \
            kill -CONT $last $(cat /proc/$last/task/$last/children); kill -QUIT $last; fi"
    }

    fn spawner(&self) -> &Arc<Spawner> {
        &self.spawner
    }

    fn start(&self) -> BoxFuture<'_, Result<Box<dyn Parent>, RigError>> {
        async { Ok(Box::new(Self::start(self).await?) as Box<dyn Parent>) }.boxed()
    }

    fn clock(&self) -> Option<&Mutex<SteeredClock>> {
        self.clock.as_ref()
    }

    fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_ref()
    }

    fn time_ms(&self) -> BoxFuture<'_, Result<i64, RigError>> {
        async {
            let dialled = self.connect().await?;
            let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
            let row = dialled.client().query_one(statement, &[]).await;
            Ok(row.map_err(|error| asked("for the time", error))?.get(0))
        }
        .boxed()
    }

    fn refused_for_room(&self) -> BoxFuture<'_, Result<String, RigError>> {
        async {
            // A table of a session is nobody else's, and is gone with it.
            let more = "CREATE TEMPORARY TABLE more AS
                        SELECT repeat('x', 1000) FROM generate_series(1, 1000)";
            let error = match self.connect().await?.client().batch_execute(more).await {
                Ok(()) => return Err(RigError::new("it found room on a disk that was to be full")),
                Err(error) => error,
            };
            match error.as_db_error() {
                Some(db) if *db.code() == SqlState::DISK_FULL => Ok(db.message().to_owned()),
                _ => Err(asked("for more room", error)),
            }
        }
        .boxed()
    }
}

fn asked(what: &str, error: tokio_postgres::Error) -> RigError {
    RigError::new(format!("could not ask it {what}")).because(error)
}

impl Parent for Postmaster {
    fn running(&mut self) -> &mut Running {
        &mut self.0
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        // A fast shutdown: sessions are ended, nothing waits for them.
        self.0.stop(Signal::INT, STOP_WITHIN);
    }
}

/// Whether the cluster in `directory` has said that it takes connections: the eighth line of its `postmaster.pid`,
/// whose first is the number of its process. One that was killed has left such a file, too.
fn says_ready(directory: &Path, process: u32) -> bool {
    let text = fs::read_to_string(directory.join("data/postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let is_its_own = lines.next() == Some(process.to_string().as_str());
    is_its_own && lines.nth(6) == Some("ready")
}

/// A server at `place`. By its URL, since a holder's process is told it so.
pub(super) fn address_of(user: &str, place: SocketAddr) -> PostgresAddress {
    let url = format!("postgres://{user}@{place}/postgres?sslmode=disable");
    url.parse().expect("our own URL can be read")
}

/// What the schema of `name` is called.
pub(super) fn schema_of(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut schema: String = format!("lockproof_{name}").chars().map(plain).collect();
    schema.truncate(63); // Postgres cuts longer names off, in silence
    schema
}

/// Waits until a server answers that is nobody else's for certain.
#[cfg(feature = "container")]
pub(super) async fn until_it_answers(config: &tokio_postgres::Config) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    loop {
        match config.connect(tokio_postgres::NoTls).await {
            Ok(_) => return Ok(()),
            Err(error) if tokio::time::Instant::now() >= deadline => {
                let what = format!("Postgres did not answer within {READY_WITHIN:?}");
                return Err(RigError::new(what).because(error));
            }
            Err(_) => tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await,
        }
    }
}

fn cannot_set_up(error: std::io::Error) -> RigError {
    RigError::new("cannot set up Postgres").because(error)
}

async fn initialise(
    spawner: &Spawner,
    user: Option<&str>,
    directory: &Path,
) -> Result<(), RigError> {
    let cannot = |error| RigError::new("cannot run initdb").because(error);
    let path = directory.with_extension("initdb.log");
    let log = fs::File::create(&path).map_err(cannot)?;
    let errors = log.try_clone().map_err(cannot)?;
    let running = spawner
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
    own_server::ended_well(running, "initdb", &path).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_of_somebody_else_on_the_port_is_not_taken_for_ones_own() {
        if program("postgres").is_err() || program("initdb").is_err() {
            return;
        }
        let spawner = Arc::new(Spawner::start().unwrap());
        let first = Arc::new(Workspace::create().unwrap());
        let cluster = Cluster::start(&spawner, &first, ServerNeeds::default()).await.unwrap();
        let second = Arc::new(Workspace::create().unwrap());
        let mut home = Home::prepare(&spawner, &second, ServerNeeds::default()).await.unwrap();
        home.address = cluster.home.address;
        let error = home.start().await.unwrap_err().to_string();
        assert!(error.starts_with("Postgres ended with"), "{error}");
    }
}

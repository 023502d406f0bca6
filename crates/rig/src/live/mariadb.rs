//! A MariaDB server of the run's own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{MariadbAddress, MariadbDialled};
use lockproof_clock_shim::SteeredClock;
use rustix::process::{Signal, geteuid};

use super::children::{DeathSignal, Running, Spawner, find_program};
use super::database_control::{DatabaseHome, DatabaseProcess, Parent};
use super::own_server;
use super::postgres::schema_of;
use super::provider::Database;
use super::redis_server::free_address;
use super::small_disk::SmallDisk;
use super::workspace::Workspace;
use crate::{RigError, ServerNeeds};

/// Whom the server runs as when the program is root, which MariaDB refuses to be.
const UNPRIVILEGED: &str = "mysql";
/// Every holder has its own connection, and cells run side by side.
const CONNECTIONS: &str = "--max-connections=500";
/// Its default has 96 MB written at each start of a server that lives for seconds.
const SMALL_LOG: &str = "--innodb-log-file-size=16M";
/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running server; dropping it shuts it down.
#[derive(Debug)]
pub(super) struct Server {
    parent: Mariadbd,
    home: Home,
}

/// Its only process. Dropping it shuts it down.
#[derive(Debug)]
struct Mariadbd(Running);

/// Where and how a server runs: enough to start it again.
#[derive(Debug)]
struct Home {
    address: SocketAddr,
    /// Its own.
    directory: PathBuf,
    clock: Option<Mutex<SteeredClock>>,
    user: Option<&'static str>,
    spawner: Arc<Spawner>,
    /// The directory is inside.
    _workspace: Arc<Workspace>,
}

impl Server {
    /// Makes a data directory with `mariadb-install-db` in the workspace, ready for what faults will ask of the server,
    /// starts it and waits until it answers: under a second altogether.
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
                Ok(parent) => return Ok(Self { parent, home }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    /// A schema of its own for `name`; the store creates it.
    pub(super) fn database(&self, name: &str) -> Database {
        Database::Mariadb {
            address: Box::new(self.home.address()),
            tcp: Some(self.home.address),
            schema: schema_of(name),
            settings: Vec::new(),
        }
    }

    /// The same in the hands of faults.
    pub(super) fn controlled(self) -> Result<DatabaseProcess, RigError> {
        DatabaseProcess::new(Box::new(self.home), Box::new(self.parent))
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
        let name = format!("mariadb-{:08x}", lockproof_env::live::entropy());
        let directory = workspace.directory(&name).map_err(cannot_set_up)?;
        if let Some(user) = user {
            own_server::hand_over(&directory, user, "MariaDB", "mariadb-server")?;
        }
        install(spawner, user, &directory).await?;
        let clock = if needs.clock {
            let clock = SteeredClock::create(&directory).map_err(|error| {
                RigError::new("cannot put MariaDB's clock into our hands").because(error)
            })?;
            Some(Mutex::new(clock))
        } else {
            None
        };
        Ok(Self {
            address: free_address().map_err(cannot_set_up)?,
            directory,
            clock,
            user,
            spawner: Arc::clone(spawner),
            _workspace: Arc::clone(workspace),
        })
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// By its URL, since a holder's process is told it so.
    fn address(&self) -> MariadbAddress {
        let url = format!("mariadb://root@{}/", self.address);
        url.parse().expect("our own URL can be read")
    }

    async fn connect(&self) -> Result<MariadbDialled, RigError> {
        let dialled = self.address().connect().await;
        dialled.map_err(|error| RigError::new("could not ask it to answer").because(error))
    }

    async fn start(&self) -> Result<Mariadbd, RigError> {
        let cannot = |error| RigError::new("cannot start MariaDB").because(error);
        let path = self.directory.with_extension("log");
        let log = fs::File::create(&path).map_err(cannot)?;
        let port = self.address.port();
        let program = program("mariadbd")?;
        let running = self.spawner.spawn(&program, self.user, DeathSignal::Kill, |command| {
            command
                .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"])
                .args([CONNECTIONS, SMALL_LOG])
                .arg(format!("--port={port}"))
                .arg(named("--datadir", &self.data()))
                .arg(named("--socket", &self.directory.join("socket")))
                .arg(named("--pid-file", &self.directory.join("pid")))
                .env("TMPDIR", &self.directory) // see `install`
                .current_dir(&self.directory)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::from(log));
            if let Some(clock) = &self.clock {
                let clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
                command.envs(clock.environment());
            }
        });
        let mut parent = Mariadbd(running.map_err(cannot)?);
        own_server::until_ready(&mut parent.0, "MariaDB", &path, || self.answers_as_itself())
            .await?;
        Ok(parent)
    }

    /// An answer alone may be that of somebody else, who took the port since it was free.
    async fn answers_as_itself(&self) -> bool {
        let Ok(dialled) = self.address().connect().await else { return false };
        let rows = dialled.rows::<(String,)>("ask where it is", "SELECT @@datadir".to_owned());
        rows.await.is_ok_and(|rows| rows.iter().any(|(path,)| Path::new(path) == self.data()))
    }
}

impl DatabaseHome for Home {
    fn deed(&self) -> &'static str {
        // It has no children, and is recovered from its log if it is ever started again.
        "if [ -n \"$last\" ]; then kill -KILL $last; fi"
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
        None
    }

    fn time_ms(&self) -> BoxFuture<'_, Result<i64, RigError>> {
        async {
            let ask = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000 AS SIGNED)".to_owned();
            let cannot = |error| RigError::new("could not ask it for the time").because(error);
            let rows = self.connect().await?.rows::<(i64,)>("ask for the time", ask).await;
            let row = rows.map_err(cannot)?.pop();
            row.map(|(time,)| time).ok_or_else(|| RigError::new("it told no time"))
        }
        .boxed()
    }

    fn refused_for_room(&self) -> BoxFuture<'_, Result<String, RigError>> {
        std::future::ready(Err(RigError::new("its disk is everybody's"))).boxed()
    }
}

impl Parent for Mariadbd {
    fn running(&mut self) -> &mut Running {
        &mut self.0
    }
}

impl Drop for Mariadbd {
    fn drop(&mut self) {
        // Sessions are ended, nothing waits for them.
        self.0.stop(Signal::TERM, STOP_WITHIN);
    }
}

fn cannot_set_up(error: std::io::Error) -> RigError {
    RigError::new("cannot set up MariaDB").because(error)
}

fn named(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push("=");
    argument.push(path);
    argument
}

async fn install(spawner: &Spawner, user: Option<&str>, directory: &Path) -> Result<(), RigError> {
    const PROGRAM: &str = "mariadb-install-db";
    let cannot = |error| RigError::new(format!("cannot run {PROGRAM}")).because(error);
    let path = directory.with_extension("install.log");
    let log = fs::File::create(&path).map_err(cannot)?;
    let errors = log.try_clone().map_err(cannot)?;
    let running = spawner
        .spawn(&program(PROGRAM)?, user, DeathSignal::Kill, |command| {
            command
                // A root without a password, on an address that nobody else's machine reaches.
                .args(["--no-defaults", "--auth-root-authentication-method=normal"])
                .args(["--skip-test-db", "--skip-name-resolve", SMALL_LOG])
                // What is not on the disk yet when the machine stops is not needed any more.
                .arg("--innodb-flush-method=nosync")
                .arg(named("--datadir", &directory.join("data")))
                // A server that starts clears its temporary directory up, and would take the tables of others along.
                .env("TMPDIR", directory)
                .current_dir(directory)
                .stdin(Stdio::null())
                .stdout(Stdio::from(log))
                .stderr(Stdio::from(errors));
        })
        .map_err(cannot)?;
    own_server::ended_well(running, PROGRAM, &path).await
}

/// A program of the MariaDB server; Debian keeps the server itself where the PATH of most users does not lead.
pub(super) fn program(name: &str) -> Result<PathBuf, RigError> {
    let elsewhere = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from);
    find_program(name, &elsewhere).ok_or_else(|| {
        RigError::new(format!(
            "MariaDB's {name} was found neither on PATH nor in /usr/sbin; install it (Debian: apt-get install mariadb-server) or use --database postgres"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_of_somebody_else_on_the_port_is_not_taken_for_ones_own() {
        if program("mariadbd").is_err() || program("mariadb-install-db").is_err() {
            return;
        }
        let spawner = Arc::new(Spawner::start().unwrap());
        let first = Arc::new(Workspace::create().unwrap());
        let server = Server::start(&spawner, &first, ServerNeeds::default()).await.unwrap();
        let second = Arc::new(Workspace::create().unwrap());
        let mut home = Home::prepare(&spawner, &second, ServerNeeds::default()).await.unwrap();
        home.address = server.home.address;
        let error = home.start().await.unwrap_err().to_string();
        assert!(error.starts_with("MariaDB ended with"), "{error}");
    }
}

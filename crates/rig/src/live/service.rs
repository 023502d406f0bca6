//! A booking service that the run starts: a child like any server, and where it finds the servers of its cell.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use lockproof_bookings::PostgresAddress;
use redis::{ConnectionAddr, ConnectionInfo};
use rustix::process::Signal;

use super::children::{DeathSignal, Running, Spawner, find_program, forget_settings, signal_group};
use super::guardian::Guardian;
use super::own_server::{last_words, until_ready};
use super::provider::Database;
use super::redis_server::free_address;
use super::workspace::Workspace;
use crate::RigError;

/// What a killed run leaves of a service that starts others: its whole group.
const DEED: &str = "if [ -n \"$last\" ]; then kill -KILL -- -$last; fi";

/// How a service is started.
#[derive(Clone)]
pub struct ServiceProgram {
    /// A path, or a name on PATH.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
    /// What its environment has beside this program's.
    pub environment: Vec<(String, String)>,
}

/// Names alone: what it is told may be secret.
impl fmt::Debug for ServiceProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceProgram").field("program", &self.program).finish_non_exhaustive()
    }
}

/// A service that runs. Dropping it kills it, and whatever it has started.
#[derive(Debug)]
pub struct ServiceProcess {
    running: Running,
    log: PathBuf,
    _guardian: Guardian,
    _workspace: Workspace,
    /// Last: the end of its thread would kill the service.
    _spawner: Spawner,
}

impl ServiceProcess {
    /// A port of this machine that nobody listens on just now.
    ///
    /// # Errors
    /// The system has none.
    pub fn free_port() -> Result<u16, RigError> {
        let address = free_address();
        let cannot = |error| RigError::new("cannot find a port for the service").because(error);
        Ok(address.map_err(cannot)?.port())
    }

    /// Starts `program`, and returns once it `is_ready`.
    ///
    /// # Errors
    /// It cannot be started, ended, or was not ready in time; with its last words.
    ///
    /// # Cancel safety
    /// Dropped, it is killed.
    pub async fn start<F: Future<Output = bool> + Send>(
        program: &ServiceProgram,
        is_ready: impl Fn() -> F + Send,
    ) -> Result<Self, RigError> {
        let shown = program.program.display().to_string();
        let cannot =
            |error| RigError::new(format!("cannot start the service {shown}")).because(error);
        let workspace = Workspace::create().map_err(cannot)?;
        let log = workspace.directory("service").map_err(cannot)?.join("service.log");
        let file = std::fs::File::create(&log).map_err(cannot)?;
        let both = file.try_clone().map_err(cannot)?;
        let spawner = Spawner::start().map_err(cannot)?;
        let guardian = Guardian::start(&spawner, DEED)?;
        // By its path, since the program that sets the death signal would look for a name itself, and say so less well.
        let path = if program.program.components().count() > 1 {
            program.program.clone()
        } else {
            let missing = || RigError::new(format!("cannot start the service: no {shown} on PATH"));
            find_program(&shown, &[]).ok_or_else(missing)?
        };
        let running = spawner.spawn(&path, None, DeathSignal::Kill, |command| {
            forget_settings(command);
            command.args(&program.arguments).envs(program.environment.iter().cloned());
            command.stdin(Stdio::null()).stdout(Stdio::from(file)).stderr(Stdio::from(both));
        });
        let mut service = Self {
            running: running.map_err(cannot)?,
            log,
            _guardian: guardian,
            _workspace: workspace,
            _spawner: spawner,
        };
        service._guardian.tell(&service.running.id().to_string());
        let log = service.log.clone();
        until_ready(&mut service.running, "the service", &log, is_ready).await?;
        Ok(service)
    }

    /// How it ended, with its last words, if it has.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.running.exited()?;
        Some(format!("the service ended with {status}: {}", last_words(&self.log)))
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // Before it is waited for: until then its number is nobody else's.
        if self.running.exited().is_none() {
            signal_group(self.running.id(), Signal::KILL);
        }
    }
}

/// What of a Postgres a service has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// A database, in which it may call its schemas what it likes; on a server of the run's own, with which it goes.
    Database,
    /// A schema, where names are looked for unless it says otherwise; on a server of others, where nothing else is touched.
    Schema,
}

impl Room {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Database => "DATABASE",
            Self::Schema => "SCHEMA",
        }
    }
}

/// Where a service finds the servers of its cell. Passwords are in there.
#[derive(Clone)]
pub struct ServicePlaces {
    /// Host, port and URL of each Redis server, through its proxy where there is one.
    pub redis: Vec<(String, u16, String)>,
    /// The database, through its proxy where there is one.
    pub database_url: String,
    /// The database, straight: whoever reads the bookings back is subject to no fault.
    pub judge_url: String,
}

impl fmt::Debug for ServicePlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicePlaces").field("redis", &self.redis.len()).finish_non_exhaustive()
    }
}

impl ServicePlaces {
    pub(super) fn new(
        redis: impl IntoIterator<Item = ConnectionInfo>,
        database: &Database,
        room: Room,
        proxy: Option<SocketAddr>,
    ) -> Result<Self, RigError> {
        let redis = redis.into_iter().map(|info| of_redis(&info)).collect::<Result<_, _>>()?;
        let (database_url, judge_url) = match database {
            Database::Sqlite { path, .. } => {
                let url = format!("sqlite:{}", path.display());
                (url.clone(), url)
            }
            Database::Postgres { address, schema, .. } => {
                let straight = of_postgres(address, schema, room, None)?;
                (of_postgres(address, schema, room, proxy)?, straight)
            }
            Database::Mariadb { .. } => {
                return Err(RigError::new("a service is given no MariaDB yet; use postgres"));
            }
        };
        Ok(Self { redis, database_url, judge_url })
    }
}

fn of_redis(info: &ConnectionInfo) -> Result<(String, u16, String), RigError> {
    let ConnectionAddr::Tcp(host, port) = info.addr() else {
        return Err(RigError::new(
            "a service is given a Redis over plain TCP, and this one is not",
        ));
    };
    let settings = info.redis_settings();
    let name = match (settings.username(), settings.password()) {
        (None, None) => String::new(),
        (user, password) => {
            format!(
                "{}:{}@",
                encoded(user.unwrap_or_default()),
                encoded(password.unwrap_or_default())
            )
        }
    };
    let database = match settings.db() {
        0 => String::new(),
        database => format!("/{database}"),
    };
    Ok((host.clone(), *port, format!("redis://{name}{host}:{port}{database}")))
}

/// With the cell's own `name` as the database, or as the schema where names are looked for, so that cells do not meet.
fn of_postgres(
    address: &PostgresAddress,
    name: &str,
    room: Room,
    proxy: Option<SocketAddr>,
) -> Result<String, RigError> {
    let place = match (proxy, address.tcp()) {
        (Some(proxy), _) => proxy.to_string(),
        (None, Some((host, port))) => format!("{host}:{port}"),
        (None, None) => {
            return Err(RigError::new(
                "a service is given a database over TCP, and this one is a socket",
            ));
        }
    };
    let config = address.config();
    let user = encoded(config.get_user().unwrap_or("postgres"));
    let password = config.get_password().map(String::from_utf8_lossy);
    let password = password.map(|password| format!(":{}", encoded(&password))).unwrap_or_default();
    let (database, options) = match room {
        Room::Database => (name, String::new()),
        Room::Schema => {
            let options = encoded(&format!("-csearch_path={name}"));
            (config.get_dbname().unwrap_or("postgres"), format!("&options={options}"))
        }
    };
    let (database, mode) = (encoded(database), address.ssl_mode());
    Ok(format!("postgres://{user}{password}@{place}/{database}?sslmode={mode}{options}"))
}

/// RFC 3986, section 2.1.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RedisUrl;

    #[test]
    fn a_url_leads_to_the_schema_of_the_cell_and_survives_a_password() {
        let address: PostgresAddress = "postgres://me:p%40ss@db:6432/shop".parse().unwrap();
        let proxy = Some("127.0.0.1:9".parse().unwrap());
        let url = of_postgres(&address, "lockproof_1_x", Room::Schema, proxy).unwrap();
        let again: PostgresAddress = url.parse().unwrap();
        assert_eq!(again.tcp(), Some(("127.0.0.1".to_owned(), 9)));
        assert_eq!(again.config().get_password(), Some(b"p@ss".as_slice()));
        assert_eq!(again.config().get_options(), Some("-csearch_path=lockproof_1_x"));
        let url = of_postgres(&address, "lockproof_1_x", Room::Database, None).unwrap();
        assert_eq!(url, "postgres://me:p%40ss@db:6432/lockproof_1_x?sslmode=prefer");
        let redis: RedisUrl = "redis://:s%3Acret@host:6380/2".parse().unwrap();
        let (host, port, url) = of_redis(redis.connection()).unwrap();
        assert_eq!((host.as_str(), port), ("host", 6380));
        let again: RedisUrl = url.parse().unwrap();
        assert_eq!(again.connection().redis_settings().password(), Some("s:cret"));
    }

    #[tokio::test]
    async fn a_service_that_ends_tells_its_last_words() {
        let program = |script: &str| ServiceProgram {
            program: "sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: vec![("WHY".to_owned(), "no database".to_owned())],
        };
        let never = || async { false };
        let error = ServiceProcess::start(&program("echo $WHY; exit 3"), never).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains("exit status: 3") && error.contains("no database"), "{error}");
        let missing = ServiceProgram { program: "lockproof-nowhere".into(), ..program("") };
        let error = ServiceProcess::start(&missing, never).await.unwrap_err().to_string();
        assert!(error.contains("no lockproof-nowhere on PATH"), "{error}");
    }
}

//! Where the servers are, as a holder's process is told it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::{
    BookingStore, MariadbAddress, MariadbStore, PostgresAddress, PostgresStore, SchemaName,
    SqliteStore,
};
use lockproof_env::Env;
use lockproof_locks::{Backends, Coordinator, SharedConnections};
use lockproof_model::HolderId;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisResult};
use serde::{Deserialize, Serialize};

use super::adapters::{Adapters, WithAdapters};
use super::coordinator::CoordinatorBackends;
use super::drivers::DriverEntry;
use super::group::{GroupBackends, GroupWay};
use super::provider::Database;
use super::sessions::{MariadbSessions, PostgresSessions};
use crate::database_locks::WithDatabase;
use crate::{Adapter, RigError, SessionLimits};

/// How one holder reaches every server: directly, or through the proxies of its links. Passwords are in there, so it is
/// told over a pipe and never shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    redis: Vec<RedisPlace>,
    /// Where these are one service to a lock: how it reaches them.
    group: Option<GroupWay>,
    coordinator: Option<CoordinatorPlace>,
    database: DatabasePlace,
    /// The program that speaks for the lock, where one does.
    adapter: Option<Adapter>,
}

/// By the word of the service, and where it listens.
type CoordinatorPlace = (String, SocketAddr);

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisPlace {
    at: RedisAt,
    database: i64,
    user: Option<String>,
    password: Option<String>,
    resp3: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum RedisAt {
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16, insecure: bool },
    Unix(PathBuf),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum DatabasePlace {
    Sqlite { path: PathBuf },
    Postgres { url: String, schema: String, limits: SessionLimits, by_way_of: Option<SocketAddr> },
    Mariadb { url: String, schema: String, limits: SessionLimits, by_way_of: Option<SocketAddr> },
}

impl Places {
    /// Those of Redis servers reached by `redis`, or where they are one service by `group`, and of `database`, under
    /// `limits` and through `proxy` where there is one.
    ///
    /// # Errors
    /// A server is reached in a way that cannot be told.
    pub(super) fn new(
        redis: impl IntoIterator<Item = ConnectionInfo>,
        group: Option<GroupWay>,
        database: &Database,
        limits: SessionLimits,
        proxy: Option<SocketAddr>,
    ) -> Result<Self, RigError> {
        let redis =
            redis.into_iter().map(|info| RedisPlace::of(&info)).collect::<Result<_, _>>()?;
        let database = match database {
            Database::Sqlite { path, .. } => DatabasePlace::Sqlite { path: path.clone() },
            Database::Postgres { address, schema, .. } => {
                let url = address.url().ok_or_else(|| {
                    RigError::new("a database without a URL cannot be told to another process")
                })?;
                let (url, schema) = (url.to_owned(), schema.clone());
                DatabasePlace::Postgres { url, schema, limits, by_way_of: proxy }
            }
            Database::Mariadb { address, schema, .. } => {
                let (url, schema) = (address.url().to_owned(), schema.clone());
                DatabasePlace::Mariadb { url, schema, limits, by_way_of: proxy }
            }
        };
        Ok(Self { redis, group, coordinator: None, database, adapter: None })
    }

    /// The same with a coordination service, where there is one.
    #[must_use]
    pub(super) fn with_coordinator(self, place: Option<(Coordinator, SocketAddr)>) -> Self {
        let coordinator = place.map(|(service, address)| (service.word().to_owned(), address));
        Self { coordinator, ..self }
    }

    /// The same for a lock that `adapter` speaks for.
    #[must_use]
    pub(super) fn with_adapter(self, adapter: Option<Adapter>) -> Self {
        Self { adapter, ..self }
    }

    /// The lock's way to its servers, dialled in `env` by `driver`.
    ///
    /// # Errors
    /// A place is none.
    pub fn backends(&self, env: &Env, driver: &DriverEntry) -> Result<Arc<dyn Backends>, RigError> {
        // The client takes it from here; a second time it is set already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        if let Some(way) = &self.group {
            return Ok(Arc::new(GroupBackends::new(way.clone())));
        }
        if let Some((word, address)) = &self.coordinator {
            let known = Coordinator::ALL.into_iter().find(|service| service.word() == word);
            let service = known.ok_or_else(|| RigError::new(format!("nobody knows of {word}")))?;
            let address = *address;
            return Ok(Arc::new(CoordinatorBackends::new(service, move |_| address)));
        }
        let infos = self.redis.iter().map(RedisPlace::info).collect::<RedisResult<Vec<_>>>();
        let infos = infos.map_err(|error| {
            RigError::new("cannot address a Redis server").because(error.to_string())
        })?;
        let told = infos.clone();
        let straight = infos.clone();
        let dialled = SharedConnections::new(env.clone(), infos.len(), move |server, _| {
            Ok(straight[server].clone())
        });
        let dialled = match driver.dialler {
            Some(dialler) => dialled.dialled_by(dialler),
            None => dialled,
        };
        let servers: Arc<dyn Backends> = Arc::new(dialled);
        if infos.is_empty() && self.adapter.is_none() {
            return Ok(Arc::new(WithDatabase { servers, store: self.store(env)? }));
        }
        let Some(adapter) = self.adapter.clone() else { return Ok(servers) };
        let adapters = Adapters::prepare(env, adapter, move |_| told.clone())?;
        Ok(Arc::new(WithAdapters { servers, adapters }))
    }

    /// Where bookings are kept.
    ///
    /// # Errors
    /// The database's URL is none, or the certificates to hold it against are missing.
    pub fn store(&self, env: &Env) -> Result<Arc<dyn BookingStore>, RigError> {
        let cannot = |error: Box<dyn std::error::Error + Send + Sync>| {
            RigError::new("cannot address the database").because(error)
        };
        let (database, limits, proxy) = match &self.database {
            DatabasePlace::Sqlite { path } => {
                let database = Database::Sqlite { path: path.clone(), settings: Vec::new() };
                (database, SessionLimits::default(), None)
            }
            DatabasePlace::Postgres { url, schema, limits, by_way_of } => {
                let mut address =
                    url.parse::<PostgresAddress>().map_err(|error| cannot(error.into()))?;
                address.prepare().map_err(|error| cannot(error.into()))?;
                let (tcp, settings) = (None, Vec::new());
                let (address, schema) = (Box::new(address), schema.clone());
                (Database::Postgres { address, tcp, schema, settings }, *limits, *by_way_of)
            }
            DatabasePlace::Mariadb { url, schema, limits, by_way_of } => {
                let address =
                    url.parse::<MariadbAddress>().map_err(|error| cannot(error.into()))?;
                let (tcp, settings) = (None, Vec::new());
                let (address, schema) = (Box::new(address), schema.clone());
                (Database::Mariadb { address, tcp, schema, settings }, *limits, *by_way_of)
            }
        };
        open_store(env, database, limits, move |_| proxy)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("redis", &self.redis.len()).finish_non_exhaustive()
    }
}

impl RedisPlace {
    fn of(info: &ConnectionInfo) -> Result<Self, RigError> {
        let at = match info.addr() {
            ConnectionAddr::Tcp(host, port) => RedisAt::Tcp { host: host.clone(), port: *port },
            ConnectionAddr::TcpTls { host, port, insecure, tls_params: None } => {
                RedisAt::Tls { host: host.clone(), port: *port, insecure: *insecure }
            }
            ConnectionAddr::Unix(path) => RedisAt::Unix(path.clone()),
            _ => {
                return Err(RigError::new(
                    "a Redis server with certificates of its own cannot be told to another process",
                ));
            }
        };
        let settings = info.redis_settings();
        Ok(Self {
            at,
            database: settings.db(),
            user: settings.username().map(ToOwned::to_owned),
            password: settings.password().map(ToOwned::to_owned),
            resp3: settings.protocol() == ProtocolVersion::RESP3,
        })
    }

    fn info(&self) -> RedisResult<ConnectionInfo> {
        let addr = match self.at.clone() {
            RedisAt::Tcp { host, port } => ConnectionAddr::Tcp(host, port),
            RedisAt::Tls { host, port, insecure } => {
                ConnectionAddr::TcpTls { host, port, insecure, tls_params: None }
            }
            RedisAt::Unix(path) => ConnectionAddr::Unix(path),
        };
        let info = addr.into_connection_info()?;
        let mut settings = info.redis_settings().clone().set_db(self.database);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        if self.resp3 {
            settings = settings.set_protocol(ProtocolVersion::RESP3);
        }
        Ok(info.set_redis_settings(settings))
    }
}

/// The store in `database`, each holder's connection through its proxy where it has one.
pub(super) fn open_store(
    env: &Env,
    database: Database,
    limits: SessionLimits,
    proxy: impl Fn(HolderId) -> Option<SocketAddr> + Send + Sync + 'static,
) -> Result<Arc<dyn BookingStore>, RigError> {
    Ok(match database {
        Database::Sqlite { path, .. } => Arc::new(SqliteStore::new(env.clone(), path)),
        Database::Postgres { mut address, schema, .. } => {
            let config = address.config_mut();
            // On purpose, since the driver's defaults wait for ever for a connection and two hours for a dead peer.
            // What a URL says of it stands.
            if config.get_connect_timeout().is_none() {
                config.connect_timeout(Duration::from_secs(10));
            }
            if config.get_tcp_user_timeout().is_none() {
                config.tcp_user_timeout(Duration::from_secs(30));
            }
            config.keepalives_idle(Duration::from_secs(30));
            let judge = PostgresAddress::clone(&address);
            let sessions = PostgresSessions::new(judge.clone(), &schema);
            let store = PostgresStore::new(schema_name(&schema)?, judge, move |holder| {
                let mut address = match proxy(holder) {
                    None => PostgresAddress::clone(&address),
                    Some(proxy) => address.by_way_of(proxy),
                };
                sessions.set_up(address.config_mut(), holder, limits);
                address
            });
            Arc::new(store)
        }
        Database::Mariadb { address, schema, .. } => {
            let judge = MariadbAddress::clone(&address);
            let address = MariadbSessions::set_up(*address, limits)?;
            let store =
                MariadbStore::new(schema_name(&schema)?, judge, move |holder| {
                    match proxy(holder) {
                        None => address.clone(),
                        Some(proxy) => address.by_way_of(proxy),
                    }
                });
            Arc::new(store)
        }
    })
}

fn schema_name(name: &str) -> Result<SchemaName, RigError> {
    let named = name.parse::<SchemaName>();
    named.map_err(|error| RigError::new("cannot name the run's schema").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RedisUrl;

    #[test]
    fn what_is_told_leads_to_the_same_place_and_shows_no_password() {
        for url in [
            "redis://127.0.0.1:6380/2",
            "redis://me:s3cret@host:6379?protocol=resp3",
            "rediss://:s3cret@host:6379/1#insecure",
            "unix:///run/redis.sock?db=1&pass=s3cret",
        ] {
            let info = url.parse::<RedisUrl>().unwrap().connection().clone();
            let database = Database::Sqlite { path: "/b".into(), settings: Vec::new() };
            let places =
                Places::new([info.clone()], None, &database, SessionLimits::default(), None);
            let places = places.unwrap();
            assert!(!format!("{places:?}").contains("s3cret"));
            let told: Places =
                serde_json::from_str(&serde_json::to_string(&places).unwrap()).unwrap();
            let again = told.redis[0].info().unwrap();
            assert_eq!(again.addr(), info.addr(), "{url}");
            let (one, other) = (info.redis_settings(), again.redis_settings());
            assert_eq!((one.db(), one.username()), (other.db(), other.username()), "{url}");
            assert_eq!(one.password(), other.password(), "{url}");
            assert_eq!(one.protocol(), other.protocol(), "{url}");
        }
    }
}

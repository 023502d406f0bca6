//! Where somebody else's servers are.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use lockproof_bookings::PostgresAddress;
use lockproof_locks::Coordinator;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::Link;
use crate::hidden::{hidden, hidden_altogether};

/// What a run is told of its servers: those that run already, and that others may use, for `--provider external`; the
/// images for `--provider container`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalServers {
    /// The Redis servers, in order: a lock on one takes the first, a quorum as many as it needs.
    pub redis: Vec<RedisUrl>,
    /// The coordination services.
    pub coordinators: BTreeMap<Coordinator, CoordinatorUrl>,
    /// The database; none for the embedded one.
    pub database: Option<DatabaseUrl>,
    /// What `--provider container` starts.
    pub images: ContainerImages,
}

/// The images of `--provider container`, each `NAME:TAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerImages {
    /// With a redis-server on its PATH.
    pub redis: String,
    /// That starts a Postgres as the official one does: by `POSTGRES_USER` and `POSTGRES_HOST_AUTH_METHOD`.
    pub postgres: String,
}

impl Default for ContainerImages {
    fn default() -> Self {
        Self { redis: "redis:7".to_owned(), postgres: "postgres:15".to_owned() }
    }
}

impl ExternalServers {
    /// What is wrong where two URLs lead to one place, which a quorum would count twice.
    #[must_use]
    pub fn twice(&self) -> Option<String> {
        let pairs = self.redis.iter().enumerate();
        let mut twins = pairs
            .filter(|(place, url)| self.redis[..*place].iter().any(|other| other.same_place(url)));
        twins
            .next()
            .map(|(_, url)| format!("{url} is named twice, and a quorum would count it twice"))
    }

    /// Why `link` cannot be disturbed, where it cannot: a fault on it would never bite.
    #[must_use]
    pub fn undisturbable(&self, link: Link) -> Option<String> {
        let (name, why) = match link {
            Link::Redis(number) => {
                let url = self.redis.get(number)?;
                let why = match url.connection.addr() {
                    ConnectionAddr::Tcp(..) => return None,
                    ConnectionAddr::Unix(_) => "is reached over a socket file, which no proxy can stand in for",
                    // The client holds the certificate against the name it dials, which would be the proxy's.
                    _ => "speaks TLS, and a proxy would have to show its certificate; name a port without TLS",
                };
                (url.to_string(), why)
            }
            Link::Coordinator(_) => return None,
            Link::Database => match &self.database {
                None => return Some("bookings go to the embedded database, which has no link; name a Postgres: --database-url".to_owned()),
                Some(url) if url.address.tcp().is_some() => return None,
                Some(url) => (url.to_string(), "is reached over a socket file, which no proxy can stand in for"),
            },
        };
        Some(format!("{name} {why}"))
    }
}

impl ExternalServers {
    /// Why what is said on `link` cannot be read, where it cannot: a fault on single requests would never bite.
    #[must_use]
    pub fn unreadable(&self, link: Link) -> Option<String> {
        let url = self.database.as_ref().filter(|_| link == Link::Database)?;
        let mode = url.address.ssl_mode();
        let hidden = !matches!(mode, "disable" | "allow" | "prefer");
        hidden.then(|| {
            format!("{url} speaks TLS (sslmode={mode}), which hides single requests; write sslmode=disable")
        })
    }
}

/// The URL of a Redis server: `redis://`, `rediss://` or `unix://`. It is shown without its password.
#[derive(Clone)]
pub struct RedisUrl {
    text: String,
    connection: ConnectionInfo,
}

impl RedisUrl {
    /// What the client library makes of it.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Whether both lead to the same database of the same server, as far as their texts tell.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        let (one, two) = (&self.connection, &other.connection);
        one.addr() == two.addr() && one.redis_settings().db() == two.redis_settings().db()
    }
}

impl FromStr for RedisUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let connection = text.into_connection_info().map_err(|error| ServerUrlError {
            url: hidden_altogether(text),
            what: format!("{error}; write redis://[USER]:PASSWORD@HOST:PORT/DB, rediss:// for TLS, or unix:///PATH"),
        })?;
        Ok(Self { text: text.to_owned(), connection })
    }
}

/// The URL of a Postgres database: `postgres://`, with libpq's `sslmode`. It is shown without its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: String,
    address: PostgresAddress,
}

impl DatabaseUrl {
    /// What it says.
    #[must_use]
    pub const fn address(&self) -> &PostgresAddress {
        &self.address
    }
}

impl FromStr for DatabaseUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let address = text.parse::<PostgresAddress>().map_err(|error| ServerUrlError {
            url: hidden_altogether(text),
            what: format!(
                "{error}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=prefer"
            ),
        })?;
        Ok(Self { text: text.to_owned(), address })
    }
}

/// Where a coordination service listens: `http://HOST:PORT` of etcd, `zookeeper://HOST:PORT` of `ZooKeeper`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorUrl {
    scheme: &'static str,
    place: String,
}

impl CoordinatorUrl {
    /// That of `service` which `text` writes.
    ///
    /// # Errors
    /// It is none that can be used.
    pub fn parse(service: Coordinator, text: &str) -> Result<Self, ServerUrlError> {
        let scheme = match service {
            Coordinator::Etcd => "http://",
            Coordinator::ZooKeeper => "zookeeper://",
        };
        let wrong = |what: &str| ServerUrlError {
            url: hidden_altogether(text),
            what: format!("{what}; write {scheme}HOST:PORT"),
        };
        let place = text.strip_prefix(scheme).ok_or_else(|| wrong("it begins otherwise"))?;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = place.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
        if host.is_empty() || host.contains(['@', '/', ',', '?']) {
            return Err(wrong("one host is meant, without a user, a password or a path"));
        }
        port.parse::<u16>().map_err(|_| wrong("its port is no number of a port"))?;
        Ok(Self { scheme, place: place.to_owned() })
    }

    /// Where that is, by the names that this machine knows.
    ///
    /// # Errors
    /// It knows none such.
    pub fn resolve(&self) -> std::io::Result<SocketAddr> {
        let mut places = self.place.to_socket_addrs()?;
        places.next().ok_or_else(|| std::io::Error::other("the name leads nowhere"))
    }
}

impl fmt::Display for CoordinatorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.scheme, self.place)
    }
}

/// The text is no URL of such a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is no URL that can be used: {what}")]
pub struct ServerUrlError {
    url: String,
    what: String,
}

macro_rules! shown_without_password {
    ($($url:ty),+) => {$(
        impl fmt::Display for $url {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hidden(&self.text))
            }
        }

        impl fmt::Debug for $url {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl PartialEq for $url {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }

        impl Eq for $url {}
    )+};
}
shown_without_password!(RedisUrl, DatabaseUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_shows_its_password() {
        let redis: RedisUrl = "redis://me:s3cret@host:6379/1".parse().unwrap();
        let database: DatabaseUrl = "postgres://me:s3cret@host/shop".parse().unwrap();
        let servers = ExternalServers {
            redis: vec![redis],
            database: Some(database),
            ..ExternalServers::default()
        };
        let shown =
            format!("{servers:?} {} {}", servers.redis[0], servers.database.as_ref().unwrap());
        assert!(
            !shown.contains("s3cret") && shown.contains("redis://me:***@host:6379/1"),
            "{shown}"
        );
        for wrong in ["s3cret@host:6379", "redis://:s3cret", "redis://h:s3cret", "http://:s3cret@h"]
        {
            let error = wrong.parse::<RedisUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        let error = "mysql://me:s3cret@host".parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(!error.contains("s3cret") && error.contains("postgres://"), "{error}");
    }

    #[test]
    fn a_coordination_service_is_one_host_and_a_port() {
        let parse = CoordinatorUrl::parse;
        let etcd = parse(Coordinator::Etcd, "http://127.0.0.1:2379/").unwrap();
        assert_eq!(etcd.to_string(), "http://127.0.0.1:2379");
        assert_eq!(etcd.resolve().unwrap().port(), 2379);
        for wrong in ["https://h:1", "h:1", "http://h", "http://me:s3cret@h:1", "http://a:1,b:2"] {
            let error = parse(Coordinator::Etcd, wrong).unwrap_err().to_string();
            assert!(error.contains("http://HOST:PORT") && !error.contains("s3cret"), "{error}");
        }
        assert!(parse(Coordinator::ZooKeeper, "zookeeper://[::1]:2181").is_ok());
    }

    #[test]
    fn only_plain_tcp_to_redis_and_any_tcp_to_postgres_can_be_disturbed() {
        let urls = ["redis://h", "rediss://h", "unix:///run/redis.sock"];
        let redis = urls.iter().map(|url| url.parse().unwrap()).collect();
        let mut servers = ExternalServers { redis, ..ExternalServers::default() };
        let why = |servers: &ExternalServers, link| servers.undisturbable(link).unwrap_or_default();
        assert_eq!(why(&servers, Link::Redis(0)), "");
        assert!(why(&servers, Link::Redis(1)).contains("speaks TLS"));
        assert!(why(&servers, Link::Redis(2)).contains("socket file"));
        assert!(why(&servers, Link::Database).contains("--database-url"));
        servers.database = Some("postgres://h/shop?sslmode=require".parse().unwrap());
        assert_eq!(why(&servers, Link::Database), "");
        servers.database = Some("postgres:///shop?host=/run/postgresql".parse().unwrap());
        assert!(why(&servers, Link::Database).contains("socket file"));
    }
}

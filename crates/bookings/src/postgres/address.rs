//! Where a `PostgreSQL` server is, and how to speak with it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dial::Dialled;
use super::tls::{self, TlsError, Verify};

/// A server, a database of it, whom to log in as, and what is asked of TLS.
///
/// Read from a URL with libpq's `sslmode`: `disable`, `prefer` (the default), `require`, `verify-ca` and
/// `verify-full`. Only the last two look at the server's certificate, against `sslrootcert` or else the system's
/// roots; with `sslrootcert`, `require` means `verify-ca`, as it does for libpq.
#[derive(Clone)]
pub struct PostgresAddress {
    /// As it was read; none where a program gave the configuration itself.
    url: Option<String>,
    config: Config,
    /// None where a program gave the configuration itself and asked for no TLS.
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    mode: &'static str,
    verify: Verify,
    roots: Option<PathBuf>,
    /// Made once, since reading the system's roots takes time that a dial should not.
    connector: Option<MakeRustlsConnect>,
}

/// The text is no URL of a `PostgreSQL` server. The message never repeats the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostgresUrlError(String);

const MODES: &[(&str, SslMode, Verify)] = &[
    ("disable", SslMode::Disable, Verify::Nothing),
    ("prefer", SslMode::Prefer, Verify::Nothing),
    ("require", SslMode::Require, Verify::Nothing),
    ("verify-ca", SslMode::Require, Verify::Chain),
    ("verify-full", SslMode::Require, Verify::Full),
];

impl PostgresAddress {
    /// The URL that it was read from, password and all, for another process to read; none where a program gave the
    /// configuration itself.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The driver's configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration, to be changed.
    pub const fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// The one host and port, unless it is a socket file.
    #[must_use]
    pub fn tcp(&self) -> Option<(String, u16)> {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match (self.config.get_hostaddrs().first(), self.config.get_hosts().first()) {
            (Some(address), _) => Some((address.to_string(), port)),
            (None, Some(Host::Tcp(host))) => Some((host.clone(), port)),
            _ => None,
        }
    }

    /// The same server, reached at `place`: through a proxy. Its certificate is still held against its own name.
    #[must_use]
    pub fn by_way_of(&self, place: SocketAddr) -> Self {
        Self { url: None, config: moved(&self.config, place), tls: self.tls.clone() }
    }

    /// What is asked of TLS, in libpq's words.
    #[must_use]
    pub fn ssl_mode(&self) -> &'static str {
        self.tls.as_ref().map_or("disable", |tls| tls.mode)
    }

    /// Reads the certificates that servers are held against, once for all later dials.
    ///
    /// # Errors
    /// `sslrootcert` cannot be read, or the system has no roots.
    pub fn prepare(&mut self) -> Result<(), TlsError> {
        if let Some(tls) = &mut self.tls
            && tls.connector.is_none()
            && tls.mode != "disable"
        {
            tls.connector = Some(tls::connector(tls.verify, tls.roots.as_deref())?);
        }
        Ok(())
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    ///
    /// # Cancel safety
    /// Dropped, the half-open connection is closed.
    pub async fn connect(&self) -> Result<Dialled, PostgresDialError> {
        let mut ready = self.clone();
        ready.prepare()?;
        match ready.tls.and_then(|tls| tls.connector) {
            Some(connector) => {
                let (client, connection) = self.config.connect(connector).await?;
                Ok(Dialled::driven(client, connection))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok(Dialled::driven(client, connection))
            }
        }
    }
}

/// A connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PostgresDialError {
    /// The certificates to hold it against are missing.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The driver's own.
    #[error(transparent)]
    Driver(#[from] tokio_postgres::Error),
}

impl From<Config> for PostgresAddress {
    fn from(config: Config) -> Self {
        Self { url: None, config, tls: None }
    }
}

impl FromStr for PostgresAddress {
    type Err = PostgresUrlError;

    fn from_str(url: &str) -> Result<Self, PostgresUrlError> {
        let wrong = |what: &str| PostgresUrlError(what.to_owned());
        if ["mariadb://", "mysql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong(
                "a MariaDB of somebody else is not run on yet; --provider process --database mariadb starts one",
            ));
        }
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong("a database URL begins with postgres://"));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut rest) = ("prefer", None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", value) => mode = value,
                ("sslrootcert", "system") => roots = None,
                ("sslrootcert", value) => roots = Some(PathBuf::from(value)),
                ("sslcert" | "sslkey" | "sslpassword", _) => {
                    return Err(wrong("client certificates (sslcert, sslkey) are not spoken here"));
                }
                _ => rest.push(pair),
            }
        }
        let known = MODES.iter().find(|(name, ..)| *name == mode);
        let &(mode, ssl_mode, verify) = known.ok_or_else(|| {
            wrong("sslmode is disable, prefer, require, verify-ca or verify-full")
        })?;
        let verify = match (mode, &roots) {
            ("require", Some(_)) => Verify::Chain,
            _ => verify,
        };
        let bare = format!("{place}?{}", rest.join("&"));
        let mut config: Config = bare.trim_end_matches('?').parse().map_err(|error| {
            let error: tokio_postgres::Error = error;
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            PostgresUrlError(cause.unwrap_or_else(|| error.to_string()))
        })?;
        match config.get_hosts().len().max(config.get_hostaddrs().len()) {
            0 => {
                return Err(wrong(
                    "the URL names no host; a socket: postgres:///db?host=/run/postgresql",
                ));
            }
            1 => {}
            _ => {
                return Err(wrong(
                    "the URL names several hosts; name the one that is to be tested",
                ));
            }
        }
        config.ssl_mode(ssl_mode);
        let connector = None;
        let tls = Some(Tls { mode, verify, roots, connector });
        Ok(Self { url: Some(url.to_owned()), config, tls })
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The driver's configuration hides the password, and with it half of what one would want to see.
        f.debug_struct("PostgresAddress")
            .field("tcp", &self.tcp())
            .field("sslmode", &self.ssl_mode())
            .finish_non_exhaustive()
    }
}

/// The driver's configuration can be added to and not changed, so everything but the place is copied.
fn moved(from: &Config, place: SocketAddr) -> Config {
    let mut to = Config::new();
    if let Some(Host::Tcp(host)) = from.get_hosts().first() {
        to.host(host); // what its certificate is held against
    }
    to.hostaddr(place.ip()).port(place.port());
    if let Some(user) = from.get_user() {
        to.user(user);
    }
    if let Some(password) = from.get_password() {
        to.password(password);
    }
    if let Some(database) = from.get_dbname() {
        to.dbname(database);
    }
    if let Some(options) = from.get_options() {
        to.options(options);
    }
    if let Some(name) = from.get_application_name() {
        to.application_name(name);
    }
    if let Some(limit) = from.get_connect_timeout() {
        to.connect_timeout(*limit);
    }
    if let Some(limit) = from.get_tcp_user_timeout() {
        to.tcp_user_timeout(*limit);
    }
    if let Some(interval) = from.get_keepalives_interval() {
        to.keepalives_interval(interval);
    }
    if let Some(retries) = from.get_keepalives_retries() {
        to.keepalives_retries(retries);
    }
    to.keepalives(from.get_keepalives()).keepalives_idle(from.get_keepalives_idle());
    to.ssl_mode(from.get_ssl_mode()).ssl_negotiation(from.get_ssl_negotiation());
    to.channel_binding(from.get_channel_binding());
    to.target_session_attrs(from.get_target_session_attrs());
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> PostgresAddress {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_url_says_where_and_how_secretly() {
        let address = parse("postgres://me:s3cret@db.example:6432/shop?sslmode=verify-full");
        assert_eq!(address.tcp(), Some(("db.example".to_owned(), 6432)));
        assert_eq!(address.ssl_mode(), "verify-full");
        assert_eq!(parse("postgresql://db.example/shop").ssl_mode(), "prefer");
        assert_eq!(parse("postgres:///shop?host=/run/postgresql&user=me").tcp(), None);
        assert!(!format!("{address:?}").contains("s3cret"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_repeating_it() {
        for (url, part) in [
            ("mysql://me:s3cret@db/shop", "--database mariadb"),
            ("http://me:s3cret@db/shop", "begins with postgres://"),
            ("host=db password=s3cret", "begins with postgres://"),
            ("postgres://me:s3cret@db/shop?sslmode=allow", "sslmode is"),
            ("postgres://me:s3cret@db/shop?sslcert=me.pem", "client certificates"),
            ("postgres://me:s3cret@one,two/shop", "several hosts"),
            ("postgres://me:s3cret@db/shop?colour=red", "colour"),
            ("postgres:///shop?user=s3cret", "names no host"),
        ] {
            let error = url.parse::<PostgresAddress>().unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("s3cret"), "{url}: {error}");
        }
    }

    #[test]
    fn behind_a_proxy_everything_but_the_place_stays() {
        let url =
            "postgres://me:s3cret@db.example:6432/shop?sslmode=require&options=-cwork_mem%3D1MB";
        let address = parse(url);
        let moved = address.by_way_of("127.0.0.1:9".parse().unwrap());
        let (from, to) = (address.config(), moved.config());
        assert_eq!((to.get_hosts(), to.get_ports()), (from.get_hosts(), [9].as_slice()));
        assert_eq!(to.get_password(), Some(b"s3cret".as_slice()));
        assert_eq!((to.get_user(), to.get_dbname()), (from.get_user(), from.get_dbname()));
        assert_eq!((to.get_options(), to.get_ssl_mode()), (from.get_options(), SslMode::Require));
    }
}

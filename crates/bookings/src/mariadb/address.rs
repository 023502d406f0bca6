//! Where a MariaDB server is, and how to speak with it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, UrlError};

use super::dial::Dialled;
use crate::Result;

/// The driver's default waits for ever for a connection.
const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// The operating system's default waits two hours for a dead peer.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// Said, so that the driver need not ask the server for it at each dial. The longest packet here has some hundred bytes.
const PACKET_MAX: usize = 16 << 20;

/// A server, whom to log in as, and what to say to a session when it is opened.
///
/// Read from a URL, `mariadb://USER:PASSWORD@HOST:PORT/` or `mysql://…`. TLS is not spoken.
#[derive(Clone)]
pub struct MariadbAddress {
    /// As it was read.
    url: String,
    opts: Opts,
    dial_within: Duration,
    set_up: Vec<String>,
}

/// The text is no URL of a MariaDB server. The message never repeats the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MariadbUrlError(String);

impl MariadbAddress {
    /// The URL that it was read from, password and all, for another process to read.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host and port, unless it is a socket file.
    #[must_use]
    pub fn tcp(&self) -> Option<(String, u16)> {
        match self.opts.socket() {
            Some(_) => None,
            None => Some((self.opts.ip_or_hostname().to_owned(), self.opts.tcp_port())),
        }
    }

    /// The same server, reached at `place`: through a proxy.
    #[must_use]
    pub fn by_way_of(&self, place: SocketAddr) -> Self {
        let opts = OptsBuilder::from_opts(self.opts.clone());
        let opts = opts.ip_or_hostname(place.ip().to_string()).tcp_port(place.port());
        Self { opts: opts.into(), ..self.clone() }
    }

    /// The same server with this statement said to each session when it is opened.
    #[must_use]
    pub fn saying(mut self, statement: String) -> Self {
        self.set_up.push(statement);
        self
    }

    /// The same server, given up when it has not let us in after so long.
    #[must_use]
    pub fn dialled_within(self, limit: Duration) -> Self {
        Self { dial_within: limit, ..self }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or takes too long.
    ///
    /// # Cancel safety
    /// Dropped, the half-open connection is closed.
    pub async fn connect(&self) -> Result<Dialled> {
        Dialled::dial(self, None).await
    }

    /// What the driver is told, with the sessions' database where they have one.
    pub(super) fn opts(&self, database: Option<&str>) -> Opts {
        OptsBuilder::from_opts(self.opts.clone())
            .db_name(database.map(ToOwned::to_owned))
            // Rows that match, as every other engine counts them, and not rows that are different afterwards: a
            // fence that is raised to where it stands was raised.
            .client_found_rows(true)
            // Past every proxy, if it were let.
            .prefer_socket(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEPALIVE_AFTER))
            .max_allowed_packet(Some(PACKET_MAX))
            .wait_timeout(Some(0)) // of the driver's pool, which is not used
            .setup(self.set_up.clone())
            .into()
    }

    pub(super) const fn dial_within(&self) -> Duration {
        self.dial_within
    }

    /// What is said to a session when it is opened.
    pub(super) fn set_up(&self) -> &[String] {
        &self.set_up
    }

    pub(super) const fn keepalive_after() -> Duration {
        KEEPALIVE_AFTER
    }
}

impl FromStr for MariadbAddress {
    type Err = MariadbUrlError;

    fn from_str(url: &str) -> std::result::Result<Self, MariadbUrlError> {
        let wrong = |what: &str| MariadbUrlError(what.to_owned());
        let rest = ["mariadb://", "mysql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest =
            rest.ok_or_else(|| wrong("the URL of a MariaDB begins with mariadb:// or mysql://"))?;
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")).0);
        for name in names {
            if ["ssl", "tls", "verify", "built_in_roots"].iter().any(|word| name.contains(word)) {
                return Err(wrong("TLS is not spoken to MariaDB here; name a server without it"));
            }
        }
        let opts = Opts::from_url(&format!("mysql://{rest}")).map_err(|error| {
            MariadbUrlError(match error {
                // The others quote a part of the text.
                UrlError::UnknownParameter { param } => format!("unknown parameter `{param}`"),
                UrlError::InvalidParamValue { param, .. } => format!("`{param}` has no such value"),
                _ => "it cannot be read".to_owned(),
            })
        })?;
        Ok(Self { url: url.to_owned(), opts, dial_within: DIAL_WITHIN, set_up: Vec::new() })
    }
}

impl fmt::Debug for MariadbAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MariadbAddress").field("tcp", &self.tcp()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> MariadbAddress {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_url_says_where_and_how_secretly() {
        for url in
            ["mariadb://me:s3cret@db.example:3307/shop", "mysql://me:s3cret@db.example:3307/"]
        {
            let address = parse(url);
            assert_eq!(address.tcp(), Some(("db.example".to_owned(), 3307)));
            assert!(!format!("{address:?}").contains("s3cret"));
        }
        assert_eq!(parse("mariadb://me@db").tcp(), Some(("db".to_owned(), 3306)));
        assert_eq!(parse("mariadb://me@localhost/?socket=/run/mysqld/mysqld.sock").tcp(), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_repeating_it() {
        for (url, part) in [
            ("postgres://me:s3cret@db/shop", "begins with mariadb://"),
            ("mariadb://me:s3cret@db/?require_ssl=true", "TLS is not spoken"),
            ("mariadb://me:s3cret@db/?colour=red", "colour"),
            ("mariadb://me:s3cret@db/?tcp_nodelay=s3cret", "tcp_nodelay"),
            ("mariadb://me:s3cret@db:port/", "cannot be read"),
        ] {
            let error = url.parse::<MariadbAddress>().unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("s3cret"), "{url}: {error}");
        }
    }

    #[test]
    fn behind_a_proxy_everything_but_the_place_stays() {
        let address = parse("mariadb://me:s3cret@db.example:3307/").saying("SET @a = 1".to_owned());
        let moved = address.by_way_of("127.0.0.1:9".parse().unwrap());
        assert_eq!(moved.tcp(), Some(("127.0.0.1".to_owned(), 9)));
        let opts = moved.opts(Some("run"));
        assert_eq!(
            (opts.user(), opts.pass(), opts.db_name()),
            (Some("me"), Some("s3cret"), Some("run"))
        );
        assert_eq!(opts.setup(), ["SET @a = 1"]);
        assert!(opts.client_found_rows() && !opts.prefer_socket());
    }
}

//! What the service is told, by variables of the environment; whoever starts it may put flags before them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lockproof_bookings::PostgresAddress;
use lockproof_bookings::catalog::{self, Entry};
use lockproof_locks::Drift;

use crate::slot::KeyLayout;

mod variables;

pub use variables::{VARIABLES, Variable};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) redis: RedisPlace,
    pub(crate) database: DatabasePlace,
    pub(crate) redlock_tries: u32,
    pub(crate) redlock_delay: Duration,
    pub(crate) drift: Drift,
    pub(crate) lock_ttl: Duration,
    pub(crate) refresh_interval: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) redis_tries: u32,
    pub(crate) slot_locking: bool,
    pub(crate) slot_lock_ttl: Duration,
    pub(crate) log_reservations: bool,
    pub(crate) lock_optional: bool,
    pub(crate) admin_token: Option<Secret>,
    pub(crate) guard: &'static Entry,
    pub(crate) key_layout: KeyLayout,
    pub(crate) metrics_for_admin: bool,
    pub(crate) room_capacity: u32,
    pub(crate) work: Duration,
    pub(crate) idempotency_ttl: Duration,
    pub(crate) in_progress_ttl: Duration,
    pub(crate) body_bytes_max: usize,
    pub(crate) request_limit: Duration,
    pub(crate) header_limit: Duration,
    pub(crate) requests_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) database_connections: usize,
}

/// Where the locks are.
#[derive(Clone)]
pub(crate) enum RedisPlace {
    /// In this process.
    Embedded,
    /// One server, or several that know nothing of each other: URLs, which may hold passwords.
    Servers(Vec<String>),
}

/// Where the bookings are.
#[derive(Clone)]
pub(crate) enum DatabasePlace {
    Sqlite(PathBuf),
    Postgres(Box<PostgresAddress>),
}

/// Never shown.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

/// A variable is not what it has to be. The message never repeats a secret.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {what}")]
pub struct ConfigError {
    name: &'static str,
    what: String,
}

impl Config {
    /// Reads every variable of [`VARIABLES`] by `lookup`; one that is empty is one that is not set.
    ///
    /// # Errors
    /// The first that cannot be used, and why.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = Reader { lookup: &lookup };
        let redis = redis(&read)?;
        let redlock = matches!(&redis, RedisPlace::Servers(urls) if urls.len() > 1);
        let config = Self {
            database: database(&read)?,
            redlock_tries: read.number("REDLOCK_RETRY_COUNT", 0..=100)? + 1,
            redlock_delay: read.millis("REDLOCK_RETRY_DELAY_MS", 0..=60_000)?,
            drift: Drift { factor: drift_factor(&read)?, ..Drift::default() },
            lock_ttl: read.millis("LOCK_TTL", 1_000..=3_600_000)?,
            refresh_interval: read.millis("LOCK_REFRESH_INTERVAL", 1..=3_600_000)?,
            connect_timeout: read.millis("REDIS_CONNECT_TIMEOUT", 1..=600_000)?,
            redis_tries: read.number("REDIS_MAX_RETRY_PER_REQUEST", 0..=100)? + 1,
            slot_locking: read.flag("FEATURE_SLOT_LOCKING")?,
            slot_lock_ttl: Duration::from_secs(read.number("SLOT_LOCK_TTL", 1..=3_600)?.into()),
            log_reservations: read.flag("SLOT_LOCK_DB_LOG")?,
            lock_optional: read.flag("LOCK_OPTIONAL")?,
            admin_token: read.text("ADMIN_TOKEN").map(Secret),
            guard: guard(&read, redlock)?,
            key_layout: key_layout(&read)?,
            metrics_for_admin: read.flag("METRICS_ADMIN")?,
            room_capacity: read.number("ROOM_CAPACITY", 1..=1_000_000)?,
            work: read.millis("BOOKING_WORK", 0..=60_000)?,
            idempotency_ttl: read.millis("IDEMPOTENCY_TTL", 1_000..=604_800_000)?,
            in_progress_ttl: read.millis("IDEMPOTENCY_IN_PROGRESS_TTL", 100..=3_600_000)?,
            body_bytes_max: read.count("BODY_BYTES_MAX", 1_024..=16_777_216)?,
            request_limit: read.millis("REQUEST_TIMEOUT", 100..=600_000)?,
            header_limit: read.millis("HEADER_TIMEOUT", 10..=600_000)?,
            requests_max: read.count("REQUESTS_MAX", 1..=100_000)?,
            connections_max: read.count("CONNECTIONS_MAX", 1..=100_000)?,
            database_connections: read.count("DATABASE_CONNECTIONS", 1..=1_000)?,
            redis,
        };
        Ok(config)
    }

    pub(crate) const fn is_redlock(&self) -> bool {
        matches!(&self.redis, RedisPlace::Servers(urls) if urls.len() > 1)
    }

    /// The guard of a booking that no lock stands behind. One that compares tokens has nothing to compare then.
    pub(crate) fn guard_without_lock(&self) -> &'static Entry {
        if self.guard.needs_token { named_guard("none") } else { self.guard }
    }
}

/// A guard that is certainly there.
pub(crate) fn named_guard(name: &str) -> &'static Entry {
    catalog::find(name).expect("the catalog has it")
}

fn redis(read: &Reader<'_>) -> Result<RedisPlace, ConfigError> {
    if let Some(urls) = read.text("REDIS_URLS") {
        let urls: Vec<_> = urls.split(',').map(|url| url.trim().to_owned()).collect();
        let is_url =
            |url: &String| redis::IntoConnectionInfo::into_connection_info(url.as_str()).is_ok();
        if let Some(place) = urls.iter().position(|url| !is_url(url)) {
            let what =
                format!("number {} is no URL of a Redis server: redis://HOST:PORT", place + 1);
            return Err(ConfigError { name: "REDIS_URLS", what });
        }
        if urls.len() == 2 {
            let what =
                "two servers have no majority without each other; name one, or three or more";
            return Err(ConfigError { name: "REDIS_URLS", what: what.to_owned() });
        }
        return Ok(RedisPlace::Servers(urls));
    }
    let Some(host) = read.text("REDIS_HOST") else { return Ok(RedisPlace::Embedded) };
    let (port, database) =
        (read.number("REDIS_PORT", 1..=65_535)?, read.number("REDIS_DB", 0..=1_000_000)?);
    let login = read
        .text("REDIS_PASSWORD")
        .map_or_else(String::new, |password| format!(":{}@", percent_encoded(&password)));
    Ok(RedisPlace::Servers(vec![format!("redis://{login}{host}:{port}/{database}")]))
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn database(read: &Reader<'_>) -> Result<DatabasePlace, ConfigError> {
    const NAME: &str = "DATABASE_URL";
    let url = read.required(NAME);
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            let what = "it names no file; write sqlite:bookings.db".to_owned();
            return Err(ConfigError { name: NAME, what });
        }
        return Ok(DatabasePlace::Sqlite(PathBuf::from(path)));
    }
    let address = url.parse::<PostgresAddress>();
    let wrong = |error: &dyn fmt::Display| format!("{error}; or sqlite:FILE");
    let address = address.map_err(|error| ConfigError { name: NAME, what: wrong(&error) })?;
    Ok(DatabasePlace::Postgres(Box::new(address)))
}

fn drift_factor(read: &Reader<'_>) -> Result<f64, ConfigError> {
    const NAME: &str = "REDLOCK_DRIFT_FACTOR";
    let factor =
        read.required(NAME).parse::<f64>().ok().filter(|factor| (0.0..1.0).contains(factor));
    let wrong = || ConfigError { name: NAME, what: "it is a number from 0 to below 1".to_owned() };
    factor.ok_or_else(wrong)
}

fn guard(read: &Reader<'_>, redlock: bool) -> Result<&'static Entry, ConfigError> {
    const NAME: &str = "GUARD";
    const GUARDS: &[&str] = &["none", "fencing", "unique", "version", "row-lock"];
    let default = if redlock { "version" } else { "fencing" };
    let name = read.text(NAME).unwrap_or_else(|| default.to_owned());
    let entry = GUARDS.contains(&name.as_str()).then(|| catalog::find(&name)).flatten();
    let wrong = |what: String| ConfigError { name: NAME, what };
    let entry = entry.ok_or_else(|| {
        wrong(format!("there is no guard `{name}` here; it is one of {}", GUARDS.join(", ")))
    })?;
    if entry.needs_token && redlock {
        return Err(wrong(
            "fencing needs a token and Redlock gives none; use version, unique or row-lock"
                .to_owned(),
        ));
    }
    Ok(entry)
}

fn key_layout(read: &Reader<'_>) -> Result<KeyLayout, ConfigError> {
    let name = read.required("KEY_LAYOUT");
    let found = KeyLayout::ALL.iter().find(|(layout, _)| *layout == name);
    let wrong = || {
        let names: Vec<_> = KeyLayout::ALL.iter().map(|(name, _)| *name).collect();
        ConfigError { name: "KEY_LAYOUT", what: format!("it is one of {}", names.join(", ")) }
    };
    found.map(|(_, layout)| *layout).ok_or_else(wrong)
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The value, or the default that the table of variables gives it.
    fn required(&self, name: &'static str) -> String {
        let variable = VARIABLES.iter().find(|variable| variable.name == name);
        let default =
            || variable.and_then(|variable| variable.default).unwrap_or_default().to_owned();
        self.text(name).unwrap_or_else(default)
    }

    fn parse<T: FromStr + PartialOrd + fmt::Display>(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        let number = self.required(name).parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            let what = format!("it is a whole number from {} to {}", bounds.start(), bounds.end());
            ConfigError { name, what }
        })
    }

    fn number(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        self.parse(name, bounds)
    }

    fn count(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        self.parse(name, bounds)
    }

    fn millis(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        self.parse(name, bounds).map(Duration::from_millis)
    }

    fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.required(name).as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(ConfigError { name, what: "it is true or false".to_owned() }),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for RedisPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Servers(urls) => write!(f, "{} servers", urls.len()),
        }
    }
}

impl fmt::Debug for DatabasePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_has_to_be_set() {
        let config = read(&[]).unwrap();
        assert_eq!((config.guard.name, config.lock_ttl.as_millis()), ("fencing", 120_000));
        assert!(matches!(config.redis, RedisPlace::Embedded) && config.slot_locking);
    }

    #[test]
    fn redlock_has_no_token_and_so_another_guard() {
        let urls = ("REDIS_URLS", "redis://a,redis://b,redis://c");
        assert_eq!(read(&[urls]).unwrap().guard.name, "version");
        let refused = read(&[urls, ("GUARD", "fencing")]).unwrap_err().to_string();
        assert!(refused.starts_with("GUARD: fencing needs a token"), "{refused}");
        assert!(read(&[("REDIS_URLS", "redis://a,redis://b")]).is_err());
    }

    #[test]
    fn what_cannot_be_used_is_named_and_no_secret_with_it() {
        for (name, value) in [
            ("LOCK_TTL", "999"),
            ("GUARD", "exclude"),
            ("REDIS_DB", "x"),
            ("SLOT_LOCK_DB_LOG", "yes"),
        ] {
            let redis = ("REDIS_HOST", "localhost");
            let error = read(&[redis, (name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
        let secret =
            [("DATABASE_URL", "postgres://me:hunter2@"), ("REDIS_URLS", "http://:hunter2@x")];
        for variable in secret {
            assert!(!read(&[variable]).unwrap_err().to_string().contains("hunter2"));
        }
        let config =
            read(&[("REDIS_HOST", "h"), ("REDIS_PASSWORD", "hunter2"), ("ADMIN_TOKEN", "hunter2")]);
        assert!(!format!("{:?}", config.unwrap()).contains("hunter2"));
    }
}

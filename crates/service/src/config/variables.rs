//! Every variable, in documentation order.

/// A variable of the environment, and the flag that goes before it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The flag, without its dashes in front.
    pub flag: &'static str,
    /// What it is when nothing is said, where that is a value.
    pub default: Option<&'static str>,
    /// What it decides, in a line.
    pub what: &'static str,
    /// Whether it may hold a password.
    pub secret: bool,
}

const fn variable(
    name: &'static str,
    flag: &'static str,
    default: &'static str,
    what: &'static str,
) -> Variable {
    Variable { name, flag, default: Some(default), what, secret: false }
}

const fn optional(name: &'static str, flag: &'static str, what: &'static str) -> Variable {
    Variable { name, flag, default: None, what, secret: false }
}

const fn secret(name: &'static str, flag: &'static str, what: &'static str) -> Variable {
    Variable { name, flag, default: None, what, secret: true }
}

/// What [`Config::read`](crate::Config::read) looks up.
pub const VARIABLES: &[Variable] = &[
    optional("REDIS_HOST", "redis-host", "the Redis server; without it, one in this process"),
    variable("REDIS_PORT", "redis-port", "6379", "its port"),
    secret("REDIS_PASSWORD", "redis-password", "its password"),
    variable("REDIS_DB", "redis-db", "0", "its database"),
    secret(
        "REDIS_URLS",
        "redis-urls",
        "several Redis servers, with commas, three or more: Redlock",
    ),
    variable(
        "REDLOCK_DRIFT_FACTOR",
        "redlock-drift-factor",
        "0.01",
        "share of the TTL that clocks may run apart",
    ),
    variable(
        "REDLOCK_RETRY_COUNT",
        "redlock-retry-count",
        "3",
        "times to try again when no majority was for anybody",
    ),
    variable(
        "REDLOCK_RETRY_DELAY_MS",
        "redlock-retry-delay-ms",
        "200",
        "between them, and up to as much more",
    ),
    variable(
        "LOCK_TTL",
        "lock-ttl",
        "120000",
        "milliseconds a lock lasts unless the request says otherwise",
    ),
    variable(
        "LOCK_REFRESH_INTERVAL",
        "lock-refresh-interval",
        "30000",
        "milliseconds after which clients are advised to refresh",
    ),
    variable(
        "REDIS_CONNECT_TIMEOUT",
        "redis-connect-timeout",
        "10000",
        "milliseconds to wait for the servers at the start",
    ),
    variable(
        "REDIS_MAX_RETRY_PER_REQUEST",
        "redis-max-retry-per-request",
        "3",
        "times to try again what certainly had no effect",
    ),
    variable(
        "FEATURE_SLOT_LOCKING",
        "feature-slot-locking",
        "true",
        "false: requests pass with no lock, and say so",
    ),
    variable(
        "SLOT_LOCK_TTL",
        "slot-lock-ttl",
        "300",
        "seconds a lock lasts that came with a check or a hold",
    ),
    variable(
        "SLOT_LOCK_DB_LOG",
        "slot-lock-db-log",
        "true",
        "whether each reservation, conflict, release and expiry is a row",
    ),
    variable(
        "LOCK_OPTIONAL",
        "lock-optional",
        "false",
        "whether a booking may come without lockId",
    ),
    variable(
        "DATABASE_URL",
        "database-url",
        "sqlite:lockproof-bookings.db",
        "sqlite:FILE or postgres://…",
    )
    .with_secret(),
    secret("ADMIN_TOKEN", "admin-token", "what admins say; without it, admin routes are closed"),
    optional(
        "GUARD",
        "guard",
        "how a booking's write is guarded: none, fencing, unique, version, row-lock",
    ),
    variable("KEY_LAYOUT", "key-layout", "appointment", "whose keys: appointment, voice, hotel"),
    variable("METRICS_ADMIN", "metrics-admin", "false", "whether /metrics is for admins alone"),
    variable(
        "ROOM_CAPACITY",
        "room-capacity",
        "1",
        "rooms of one roomId per night, where the inventory has no row yet",
    ),
    variable(
        "BOOKING_WORK",
        "booking-work",
        "0",
        "milliseconds that a booking spends between its check and its insert",
    ),
    variable(
        "IDEMPOTENCY_TTL",
        "idempotency-ttl",
        "86400000",
        "milliseconds that an answer is kept for its Idempotency-Key",
    ),
    variable(
        "IDEMPOTENCY_IN_PROGRESS_TTL",
        "idempotency-in-progress-ttl",
        "30000",
        "milliseconds after which a request without end has failed",
    ),
    variable("BODY_BYTES_MAX", "body-bytes-max", "65536", "longest body"),
    variable(
        "REQUEST_TIMEOUT",
        "request-timeout",
        "10000",
        "milliseconds until a request is answered with 503",
    ),
    variable("HEADER_TIMEOUT", "header-timeout", "5000", "milliseconds for a request's header"),
    variable("REQUESTS_MAX", "requests-max", "1024", "requests worked on at one time"),
    variable("CONNECTIONS_MAX", "connections-max", "4096", "connections open at one time"),
    variable("DATABASE_CONNECTIONS", "database-connections", "16", "connections to the database"),
];

impl Variable {
    const fn with_secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

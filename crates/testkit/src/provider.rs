//! Providers for tests: whose servers can be looked into, and which need no more than they use.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use lockproof_bookings::{MariadbAddress, MariadbUrlError, PostgresAddress, PostgresUrlError};
use lockproof_locks::Coordinator;
use lockproof_rig::live::{
    CoordinatorServer, Database, OwnDatabase, Provider, RedisGroup, RedisServer, find_provider,
    probes,
};
use lockproof_rig::{DatabaseEngine, ExternalServers, RigError, ServerNeeds, Topology};

/// Redis servers of one provider beside the embedded database, with a note of where each server listens: a trial of a
/// lock looks into its servers, and needs no Postgres.
#[derive(Debug)]
pub struct Mixed {
    redis: Arc<dyn Provider>,
    database: Arc<dyn Provider>,
    addresses: Mutex<Vec<SocketAddr>>,
    postgres: Mutex<Option<PostgresAddress>>,
}

impl Mixed {
    /// Redis servers of the provider called `redis`.
    ///
    /// # Errors
    /// The machine lacks what that provider needs.
    pub fn start(redis: &str) -> Result<Self, RigError> {
        Self::of(start(redis)?, start("embedded")?)
    }

    /// The same with the database of that provider too.
    ///
    /// # Errors
    /// The machine lacks what that provider needs.
    pub fn with_its_database(name: &str) -> Result<Self, RigError> {
        let provider = start(name)?;
        Self::of(Arc::clone(&provider), provider)
    }

    fn of(redis: Arc<dyn Provider>, database: Arc<dyn Provider>) -> Result<Self, RigError> {
        Ok(Self { redis, database, addresses: Mutex::default(), postgres: Mutex::default() })
    }

    /// Where the Postgres is that was started as a cell's own.
    #[must_use]
    pub fn postgres(&self) -> Option<PostgresAddress> {
        self.postgres.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the servers listen that were started so far.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Provider for Mixed {
    fn redis(
        &self,
        number: usize,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        async move {
            let server = self.redis.redis(number, needs).await?;
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).extend(server.tcp);
            Ok(server)
        }
        .boxed()
    }

    fn coordinator(
        &self,
        service: Coordinator,
    ) -> BoxFuture<'_, Result<CoordinatorServer, RigError>> {
        async move {
            let server = self.redis.coordinator(service).await?;
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).push(server.address);
            Ok(server)
        }
        .boxed()
    }

    fn database<'a>(
        &'a self,
        name: &'a str,
        engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        match engine {
            Some(engine) if engine.is_server() => ready(named_database(name, engine)).boxed(),
            _ => self.database.database(name, engine),
        }
    }

    fn redis_group(
        &self,
        topology: Topology,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisGroup, RigError>> {
        self.redis.redis_group(topology, needs)
    }

    fn own_database<'a>(
        &'a self,
        name: &'a str,
        engine: Option<DatabaseEngine>,
        needs: ServerNeeds,
    ) -> BoxFuture<'a, Result<OwnDatabase, RigError>> {
        async move {
            let own = self.database.own_database(name, engine, needs).await?;
            if let Database::Postgres { address, .. } = &own.database {
                let mut noted = self.postgres.lock().unwrap_or_else(PoisonError::into_inner);
                *noted = Some(PostgresAddress::clone(address));
            }
            Ok(own)
        }
        .boxed()
    }
}

/// A schema of its own on the server of that kind that tests were told of.
fn named_database(name: &str, engine: DatabaseEngine) -> Result<Database, RigError> {
    // Distinct among the processes that may test on one server.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("lockproof_{name}_{:x}_{number}", lockproof_env::live::entropy());
    let url = database_is_here(engine).map_err(RigError::new)?;
    let wrong = |error: String| RigError::new("what names a database is no URL").because(error);
    let settings = Vec::new();
    Ok(match engine {
        DatabaseEngine::Mariadb => {
            let address: MariadbAddress =
                url.parse().map_err(|error: MariadbUrlError| wrong(error.to_string()))?;
            let tcp = resolved(address.tcp());
            Database::Mariadb { address: Box::new(address), tcp, schema, settings }
        }
        DatabaseEngine::Sqlite | DatabaseEngine::Postgres => {
            let address: PostgresAddress =
                url.parse().map_err(|error: PostgresUrlError| wrong(error.to_string()))?;
            let tcp = resolved(address.tcp());
            Database::Postgres { address: Box::new(address), tcp, schema, settings }
        }
    })
}

fn resolved(place: Option<(String, u16)>) -> Option<SocketAddr> {
    place?.to_socket_addrs().ok()?.next()
}

/// The URL of the database server of that kind that tests were told of; otherwise why its trials are skipped.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without one where the environment says `CI=true`: there a skip would pass for a proof.
pub fn database_is_here(engine: DatabaseEngine) -> Result<String, String> {
    let variable = format!("LOCKPROOF_TEST_{}_URL", engine.word().to_uppercase());
    std::env::var(&variable).map_err(|_| {
        let why = format!("skipped: {variable} names no server");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        why
    })
}

fn start(name: &str) -> Result<Arc<dyn Provider>, RigError> {
    let entry =
        find_provider(name).ok_or_else(|| RigError::new(format!("no provider `{name}`")))?;
    let mut servers = ExternalServers::default();
    let named = |variable| std::env::var(variable).ok();
    servers.images.redis = named("LOCKPROOF_REDIS_IMAGE").unwrap_or(servers.images.redis);
    servers.images.postgres = named("LOCKPROOF_POSTGRES_IMAGE").unwrap_or(servers.images.postgres);
    (entry.start)(&servers)
}

/// Whether tests can have containers: this build can, and an engine answers. A build that cannot is not the one whose
/// tests are about them.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without an engine where the environment says `CI=true`.
pub fn container_engine_is_here() -> Result<(), String> {
    if lockproof_rig::live::HAS_CONTAINERS {
        is_here("container engine")
    } else {
        Err("skipped: built without the feature container".to_owned())
    }
}

/// Whether `what`, as `lockproof doctor` calls it, was found; otherwise why what needs it is skipped.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without it where the environment says `CI=true`: there a skip would pass for a proof.
pub fn is_here(what: &str) -> Result<(), String> {
    let probe = probes().into_iter().find(|probe| probe.what == what);
    let probe = probe.ok_or_else(|| format!("nobody looks for {what}"))?;
    if probe.found.is_some() {
        return Ok(());
    }
    let why = format!("skipped: {what} is missing; {}", probe.remedy);
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    Err(why)
}

/// Whether a real server of `service` was found; otherwise why its trials are skipped.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without one where the environment says `CI=true`: there a skip would pass for a proof.
pub fn coordinator_is_here(service: Coordinator) -> Result<(), String> {
    is_here(service.word())
}

/// Whether a real redis-server was found; otherwise why its trials are skipped.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without one where the environment says `CI=true`: there a skip would pass for a proof.
pub fn redis_server_is_here() -> Result<(), String> {
    is_here("redis-server")
}

//! Providers for tests: whose servers can be looked into, and which need no more than they use.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::live::{Database, Provider, RedisServer, find_provider, probes};
use lockproof_rig::{ExternalServers, RigError, ServerNeeds};

/// Redis servers of one provider beside the embedded database, with a note of where each server listens: a trial of a
/// lock looks into its servers, and needs no Postgres.
#[derive(Debug)]
pub struct Mixed {
    redis: Arc<dyn Provider>,
    database: Arc<dyn Provider>,
    addresses: Mutex<Vec<SocketAddr>>,
}

impl Mixed {
    /// Redis servers of the provider called `redis`.
    ///
    /// # Errors
    /// The machine lacks what that provider needs.
    pub fn start(redis: &str) -> Result<Self, RigError> {
        let find = |name: &str| {
            find_provider(name).ok_or_else(|| RigError::new(format!("no provider `{name}`")))
        };
        let redis = (find(redis)?.start)(&ExternalServers::default())?;
        let database = (find("embedded")?.start)(&ExternalServers::default())?;
        Ok(Self { redis, database, addresses: Mutex::default() })
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

    fn database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Database, RigError>> {
        self.database.database(name)
    }
}

/// Whether a real redis-server was found; otherwise why its trials are skipped.
///
/// # Errors
/// The sentence to print.
///
/// # Panics
/// Without one where the environment says `CI=true`: there a skip would pass for a proof.
pub fn redis_server_is_here() -> Result<(), String> {
    let probe = probes().into_iter().find(|probe| probe.what == "redis-server");
    if probe.is_some_and(|probe| probe.found.is_some()) {
        return Ok(());
    }
    let why = "skipped: redis-server is not on PATH; apt-get install redis-server".to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    Err(why)
}

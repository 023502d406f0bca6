//! What all requests share.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lockproof_env::{Env, Task};
use lockproof_locks::LockError;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::ledger::Ledger;
use crate::locks::Locks;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::{backends, jobs};

/// The service: its lock, its database, and what goes on in the background.
#[derive(Debug)]
pub struct App {
    pub(crate) config: Config,
    pub(crate) env: Env,
    pub(crate) locks: Locks,
    pub(crate) store: Arc<Store>,
    pub(crate) ledger: Ledger,
    pub(crate) metrics: Metrics,
    /// One permit for each request that may be worked on.
    pub(crate) requests: Arc<Semaphore>,
    jobs: Mutex<Vec<Task<()>>>,
}

impl App {
    /// Reaches the servers, makes the tables, and starts what goes on in the background.
    ///
    /// # Errors
    /// A server cannot be reached in the time that there is for it, or the tables cannot be made.
    ///
    /// # Cancel safety
    /// Tables may have been made.
    pub async fn start(config: Config, env: Env) -> Result<Arc<Self>, StartError> {
        let backends = backends::connections(&env, &config.redis).await?;
        let locks = Locks::new(&config, backends, &env);
        reach(&locks, &config, &env).await?;
        let store = Arc::new(Store::open(&config, &env).await?);
        let (ledger, rows) = Ledger::new(&config);
        let requests = Arc::new(Semaphore::new(config.requests_max));
        let (metrics, jobs) = (Metrics::default(), Mutex::default());
        let app = Arc::new(Self { config, env, locks, store, ledger, metrics, requests, jobs });
        let started = jobs::start(&app, rows);
        *app.jobs.lock().unwrap_or_else(PoisonError::into_inner) = started;
        if !app.config.slot_locking {
            tracing::warn!(
                guard = app.config.guard_without_lock().name,
                "slot locking is off: requests pass with no lock"
            );
        }
        Ok(app)
    }

    /// Stops what goes on in the background.
    pub fn stop(&self) {
        for job in self.jobs.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            job.abort();
        }
    }
}

/// Waits for the lock's servers, for as long as the configuration says.
async fn reach(locks: &Locks, config: &Config, env: &Env) -> Result<(), StartError> {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
    let give_up = env.now() + config.connect_timeout;
    loop {
        match locks.inspect().evicts().await {
            Ok(None) => return Ok(()),
            Ok(Some(policy)) => {
                tracing::warn!(
                    policy,
                    "Redis is set to evict keys, by which locks end that are held; set maxmemory-policy to noeviction"
                );
                return Ok(());
            }
            Err(error) if env.now() >= give_up => return Err(unreached(error)),
            Err(_) => env.sleep(PAUSE).await,
        }
    }
}

fn unreached(error: LockError) -> StartError {
    StartError::new("cannot reach Redis; is it running, and are REDIS_HOST or REDIS_URLS right?")
        .because(error)
}

/// The service cannot be started.
#[derive(Debug)]
pub struct StartError {
    what: &'static str,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl StartError {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, cause: None }
    }

    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

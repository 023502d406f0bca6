//! What every guard promises, as trials: an anomaly each, in the order of steps that would show it.
//!
//! A guard may prevent it in any way: by making the second buyer wait, by refusing one of them, by finding out at the
//! commit. What is looked at is the table.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_bookings::catalog::{self, Entry};
use lockproof_bookings::{BookingStore, Direct, Layout, ModelStore, PostgresStore, SqliteStore};
use lockproof_database_model::{Database, Layout as Tables, PredicateLocks};
use lockproof_env::{Env, live};
use tempfile::TempDir;

use self::buyers::Buyer;

mod buyers;
mod trials;

/// One promise.
#[derive(Clone, Copy)]
pub struct Trial {
    /// The promise as a sentence.
    pub name: &'static str,
    /// How often the slot may be sold.
    pub capacity: u32,
    /// What a guard is like that does not promise it, with the reason.
    pub spares: fn(&Entry) -> Option<&'static str>,
    /// Panics when it is broken.
    pub run: for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every trial of a guard.
#[must_use]
pub const fn trials() -> &'static [Trial] {
    trials::TRIALS
}

/// The trial of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Trial> {
    trials().iter().find(|trial| trial.name == name)
}

/// An engine to try guards on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// The model database.
    Model,
    /// The server that `LOCKPROOF_TEST_POSTGRES_URL` names.
    Postgres,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Model, Self::Postgres];

    /// As stores call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Model => "model",
            Self::Postgres => "postgres",
        }
    }

    /// Whether it is here; otherwise why what needs it is skipped.
    ///
    /// # Errors
    /// The sentence to print.
    ///
    /// # Panics
    /// Without it where the environment says `CI=true`: there a skip would pass for a proof.
    pub fn is_here(self) -> Result<(), String> {
        if self != Self::Postgres || postgres_url().is_some() {
            return Ok(());
        }
        let why = format!("skipped: {POSTGRES_URL} names no server");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        Err(why)
    }
}

const POSTGRES_URL: &str = "LOCKPROOF_TEST_POSTGRES_URL";

fn postgres_url() -> Option<String> {
    std::env::var(POSTGRES_URL).ok()
}

impl Trial {
    /// Whether `entry` promises this on `engine`.
    ///
    /// # Errors
    /// Why it does not.
    pub fn applies_to(&self, entry: &Entry, engine: Engine) -> Result<(), String> {
        let name = entry.name;
        let is_of_catalog = catalog::find(name).is_some();
        if name == "none" {
            return Err(format!("{name} promises nothing"));
        }
        if let Some(why) = entry.control.filter(|_| is_of_catalog) {
            return Err(format!("{name} is a control: {why}"));
        }
        self.fits(entry, engine)
    }

    /// Whether it can be tried, whatever is promised.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn fits(&self, entry: &Entry, engine: Engine) -> Result<(), String> {
        let name = entry.name;
        if let Some(why) = entry.refuses(engine.name()) {
            return Err(format!("{name} is unsupported on {}: {why}", engine.name()));
        }
        if let Some(why) = entry.sells_once.filter(|_| self.capacity > 1) {
            return Err(format!("{name} sells a slot once: {why}"));
        }
        match (self.spares)(entry) {
            Some(why) => Err(format!("{name} does not promise this: {why}")),
            None => Ok(()),
        }
    }

    /// Runs the trial on tables of its own, on a runtime of its own.
    ///
    /// # Panics
    /// When the promise is broken, the database cannot be had, or the trial hangs.
    pub fn conduct(&self, entry: &'static Entry, engine: Engine) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system gives a runtime its timers");
        runtime.block_on(async {
            let bench = Bench::start(entry, engine, self.capacity).await;
            let ended = bench.env.timeout(HANGS_AFTER, (self.run)(&bench)).await;
            let dropped = bench.store.drop_tables().await;
            ended.expect("the trial does not hang");
            dropped.expect("the tables can be dropped");
        });
    }
}

const HANGS_AFTER: Duration = Duration::from_secs(30);

/// Tables under one guard.
#[derive(Debug)]
pub struct Bench {
    env: Env,
    entry: &'static Entry,
    store: Arc<dyn BookingStore>,
    /// Where a file of `SQLite` is.
    _directory: Option<TempDir>,
}

impl Bench {
    async fn start(entry: &'static Entry, engine: Engine, capacity: u32) -> Self {
        let env = live::env(1);
        let directory = tempfile::tempdir().expect("there is room for a file");
        let store: Arc<dyn BookingStore> = match engine {
            Engine::Sqlite => {
                Arc::new(SqliteStore::new(env.clone(), directory.path().join("bookings.sqlite")))
            }
            Engine::Model => Arc::new(model_store()),
            Engine::Postgres => Arc::new(postgres_store()),
        };
        let layout = Layout { slots: 2, capacity, constraints: entry.constraints };
        store.create(layout).await.expect("the tables can be made");
        Self { env, entry, store, _directory: Some(directory) }
    }

    async fn buyer(&self, number: u32) -> Buyer {
        Buyer::open(self.store.as_ref(), self.entry, number).await
    }

    /// What the table holds of the slot.
    async fn sold(&self) -> usize {
        let table = self.store.table().await.expect("the judge is answered");
        table.bookings_of(buyers::SLOT).count()
    }
}

/// Its tables come with `create`.
fn model_store() -> ModelStore<Direct> {
    let tables = Tables {
        slots: 0,
        capacity: 0,
        unique_unit: false,
        exclude_overlap: false,
        predicate_locks: PredicateLocks::Exact,
    };
    ModelStore::new(Arc::new(Direct::to(Database::new(tables))))
}

fn postgres_store() -> PostgresStore {
    // Distinct among the processes that may test on one server.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("lockproof_guards_{:x}_{number}", live::entropy());
    let url = postgres_url().expect("the trial was not skipped");
    let config: tokio_postgres::Config = url.parse().expect("it is a URL of PostgreSQL");
    let holders = config.clone();
    PostgresStore::new(schema.parse().expect("it is a name"), config, move |_| holders.clone())
}

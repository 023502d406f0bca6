//! The engine as a parameter.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use lockproof_bookings::{
    BookingStore, Direct, Layout, MariadbAddress, MariadbDialled, MariadbStore, ModelStore,
    PostgresStore, SqliteStore, catalog,
};
use lockproof_database_model::{Database, PredicateLocks};
use lockproof_env::live;
use tokio_postgres::Config;

use crate::buyers::Shop;

/// Runs each of the tests on each engine.
macro_rules! on_each_engine {
    ($($name:ident),+ $(,)?) => {
        crate::engines::on_each_server!($($name),+);
        mod sqlite {
            $(#[tokio::test] async fn $name() { crate::engines::on_sqlite(super::$name).await; })+
        }
        mod model {
            $(#[tokio::test] async fn $name() { crate::engines::on_model(super::$name).await; })+
        }
    };
}
/// The same on those that are servers.
macro_rules! on_each_server {
    ($($name:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test] async fn $name() { crate::engines::on_postgres(super::$name).await; })+
        }
        mod mariadb {
            $(#[tokio::test] async fn $name() { crate::engines::on_mariadb(super::$name).await; })+
        }
    };
}
pub(crate) use {on_each_engine, on_each_server};

/// Far longer than any of them takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Where a test makes its tables.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Place>);

struct Place {
    kind: Kind,
    made: Mutex<Vec<Arc<dyn BookingStore>>>,
}

enum Kind {
    Sqlite(tempfile::TempDir),
    Model,
    Postgres(Box<Config>),
    Mariadb(Box<MariadbAddress>),
}

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Engine) -> F) {
    run(Kind::Sqlite(tempfile::tempdir().unwrap()), test).await;
}

pub(crate) async fn on_model<F: Future<Output = ()>>(test: impl FnOnce(Engine) -> F) {
    run(Kind::Model, test).await;
}

pub(crate) async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Engine) -> F) {
    if let Some(url) = named("LOCKPROOF_TEST_POSTGRES_URL") {
        run(Kind::Postgres(Box::new(url.parse().unwrap())), test).await;
    }
}

pub(crate) async fn on_mariadb<F: Future<Output = ()>>(test: impl FnOnce(Engine) -> F) {
    if let Some(url) = named("LOCKPROOF_TEST_MARIADB_URL") {
        run(Kind::Mariadb(Box::new(url.parse().unwrap())), test).await;
    }
}

/// The server that `variable` names for tests to make tables in.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so aloud")]
pub(crate) fn named(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!is_ci, "{variable} is not set, and CI skips nothing");
        eprintln!("skipped: {variable} names no server");
    }
    url
}

async fn run<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Engine) -> F) {
    let engine = Engine(Arc::new(Place { kind, made: Mutex::default() }));
    // A weakened guard may show itself by waiting for ever, which must fail too.
    let limited = async { live::env(1).timeout(LIMIT, test(engine.clone())).await.unwrap() };
    let outcome = AssertUnwindSafe(limited).catch_unwind().await;
    let made = std::mem::take(&mut *engine.0.made.lock().unwrap());
    for store in made {
        store.drop_tables().await.unwrap();
    }
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

impl Engine {
    /// The guards that this engine can do, and that can sell a slot `capacity` times.
    pub(crate) fn guards(&self, capacity: u32) -> impl Iterator<Item = &'static catalog::Entry> {
        let engine = match self.0.kind {
            Kind::Sqlite(_) => "sqlite",
            Kind::Model => "model",
            Kind::Postgres(_) => "postgres",
            Kind::Mariadb(_) => "mariadb",
        };
        catalog::ENTRIES.iter().filter(move |entry| {
            entry.refuses(engine).is_none() && (capacity == 1 || entry.sells_once.is_none())
        })
    }

    /// Fresh tables for `guard`: three slots of `capacity`.
    pub(crate) async fn shop(&self, guard: &str, capacity: u32) -> Shop {
        let entry = catalog::find(guard).unwrap();
        let name = fresh_name();
        let store: Arc<dyn BookingStore> = match &self.0.kind {
            Kind::Sqlite(dir) => Arc::new(SqliteStore::new(live::env(1), dir.path().join(&name))),
            Kind::Model => Arc::new(model_store()),
            Kind::Postgres(config) => Arc::new(postgres_store(&name, config)),
            Kind::Mariadb(address) => Arc::new(mariadb_store(&name, address)),
        };
        let layout = Layout { slots: 3, capacity, constraints: entry.constraints };
        store.create(layout).await.unwrap();
        self.0.made.lock().unwrap().push(Arc::clone(&store));
        Shop { name, store, entry }
    }

    /// Polls `step` until the database itself has it waiting for a lock; panics if it completes.
    pub(crate) async fn until_blocked<T>(
        &self,
        shop: &Shop,
        step: &mut (impl Future<Output = T> + Unpin),
    ) {
        assert!(step.now_or_never().is_none(), "completed at once");
        // On SQLite the first poll reaches the store's queue for the write lock, and the model says at once.
        if let Kind::Postgres(_) | Kind::Mariadb(_) = &self.0.kind {
            let monitor = self.monitor().await;
            while monitor.waiting(&shop.name).await == 0 {
                assert!(step.now_or_never().is_none(), "completed without waiting");
                live::env(1).sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// Ends every backend of `shop`, as a fail-over or an administrator does, and waits until they are gone.
    pub(crate) async fn kill_backends(&self, shop: &Shop) {
        let monitor = self.monitor().await;
        while monitor.kill(&shop.name).await > 0 {}
    }

    async fn monitor(&self) -> Monitor {
        match &self.0.kind {
            Kind::Postgres(config) => {
                let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
                live::env(1).spawn(async { drop(connection.await) });
                Monitor::Postgres(client)
            }
            Kind::Mariadb(address) => Monitor::Mariadb(address.connect().await.unwrap()),
            Kind::Sqlite(_) | Kind::Model => panic!("only servers are monitored"),
        }
    }
}

/// Who looks into a server. Holders are known to it by the name of their shop.
enum Monitor {
    Postgres(tokio_postgres::Client),
    Mariadb(MariadbDialled),
}

impl Monitor {
    /// How many sessions wait for a lock.
    async fn waiting(&self, shop: &str) -> i64 {
        match self {
            Self::Postgres(client) => {
                let waiting = "SELECT count(*) FROM pg_stat_activity
                               WHERE application_name = $1 AND wait_event_type = 'Lock'";
                client.query_one(waiting, &[&shop]).await.unwrap().get(0)
            }
            Self::Mariadb(dialled) => {
                // The tables that tell of this are renewed only when nobody has asked them for a while.
                let status = "SHOW ENGINE INNODB STATUS".to_owned();
                let status = dialled.rows::<(String, String, String)>("look", status).await;
                let (_, _, text) = &status.unwrap()[0];
                let transactions = text.split("---TRANSACTION");
                let waits = |text: &&str| text.contains("LOCK WAIT") && text.contains(shop);
                i64::try_from(transactions.filter(waits).count()).unwrap()
            }
        }
    }

    /// Ends the sessions that there are, and says how many that was.
    async fn kill(&self, shop: &str) -> i64 {
        match self {
            Self::Postgres(client) => {
                let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                            WHERE application_name = $1";
                client.query_one(kill, &[&shop]).await.unwrap().get(0)
            }
            Self::Mariadb(dialled) => {
                let list =
                    format!("SELECT id FROM information_schema.processlist WHERE db = '{shop}'");
                let sessions = dialled.rows::<(i64,)>("look", list).await.unwrap();
                for (session,) in &sessions {
                    // One may have ended meanwhile.
                    drop(dialled.run("kill", format!("KILL CONNECTION {session}")).await);
                }
                i64::try_from(sessions.len()).unwrap()
            }
        }
    }
}

/// Holders are known to the monitor by the name of their shop.
fn postgres_store(name: &str, config: &Config) -> PostgresStore {
    let mut holder = config.clone();
    holder.application_name(name);
    PostgresStore::new(name.parse().unwrap(), config.clone(), move |_| holder.clone())
}

/// Holders are known to the monitor by the database that they use, which has the name of their shop.
fn mariadb_store(name: &str, address: &MariadbAddress) -> MariadbStore {
    let holder = address.clone();
    MariadbStore::new(name.parse().unwrap(), address.clone(), move |_| holder.clone())
}

/// Its tables come with `create`.
fn model_store() -> ModelStore<Direct> {
    let tables = lockproof_database_model::Layout {
        slots: 0,
        capacity: 0,
        unique_unit: false,
        exclude_overlap: false,
        predicate_locks: PredicateLocks::Exact,
    };
    ModelStore::new(Arc::new(Direct::to(Database::new(tables))))
}

/// Distinct among the processes that may test on one server.
pub(crate) fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("lockproof_test_{:x}_{}", live::entropy(), COUNT.fetch_add(1, Ordering::Relaxed))
}

//! `SQLite`, bundled: the embedded default, which needs nothing installed.
//!
//! One file in WAL mode; each holder has a connection on a thread of its own, so that nothing blocks the
//! executor.
//!
//! **READ COMMITTED, emulated.** A deferred `SQLite` transaction is serializable by itself: it reads one
//! snapshot and may not write once that is old. No guard could be told from another by it. So a
//! transaction opened with [`TransactionMode::ReadCommitted`](crate::TransactionMode) opens nothing: each
//! read is a transaction of its own, as each statement is at READ COMMITTED, and `BEGIN IMMEDIATE` comes
//! with the first write. [`RowLocking`](crate::TransactionMode) begins immediately.
//!
//! **Waiting for the write lock.** `SQLite` has one for the whole database and does not queue for it, so
//! the store has a fair queue for its own connections; another process that holds it is waited for by
//! trying again every few milliseconds. A holder that is paused at the head of the queue makes the others
//! wait, as one does that is paused while a database server grants it a row lock.

mod connection;
mod locks;
mod sql;
mod statements;
mod thread;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::{BookingTable, DriverSetting, HolderId};
use tokio::sync::Semaphore;

use self::connection::SqliteConnection;
use self::locks::SqliteLocks;
use crate::{BookingError, BookingStore, Connection, Layout, LockConnection, Result};

/// Which driver, for the report; a test holds it against Cargo.lock.
const DRIVER: &str = "rusqlite 0.41.1";

/// Slots and bookings in a file of `SQLite`.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    path: PathBuf,
    env: Env,
    /// The turn to write, among this store's connections.
    turn: Arc<Semaphore>,
}

impl SqliteStore {
    /// A store in the file `path`, which need not exist yet, in a directory that does. `env` is what
    /// waiting for another process takes time from.
    #[must_use]
    pub fn new(env: Env, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), env, turn: Arc::new(Semaphore::new(1)) }
    }

    async fn connect(&self) -> Result<SqliteConnection> {
        SqliteConnection::open(self.path.clone(), self.env.clone(), Arc::clone(&self.turn)).await
    }
}

impl BookingStore for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> BoxFuture<'_, Result<String>> {
        async { Ok(rusqlite::version().to_owned()) }.boxed()
    }

    fn driver_settings(&self) -> Vec<DriverSetting> {
        let setting = |setting: &str, value: &str| DriverSetting {
            driver: DRIVER.to_owned(),
            setting: setting.to_owned(),
            value: value.to_owned(),
        };
        vec![
            setting("journal_mode", "WAL"),
            setting("synchronous", "NORMAL"),
            setting(
                "busy_timeout",
                "0 ms; the store's own fair queue, then a try every 1 to 16 ms",
            ),
            setting("isolation", "READ COMMITTED, emulated; BEGIN IMMEDIATE at the first write"),
            setting("prepared statements", "once per connection"),
        ]
    }

    fn create(&self, layout: Layout) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut db = self.connect().await?;
            db.run("switch to WAL", statements::use_wal).await?;
            db.write("make the tables", move |connection| statements::create(connection, layout))
                .await
        }
        .boxed()
    }

    fn open(&self, _holder: HolderId) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        async { Ok(Box::new(self.connect().await?) as Box<dyn Connection>) }.boxed()
    }

    fn open_locks(&self, _holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LockConnection>>> {
        async {
            let connection = self.connect().await.map_err(BookingError::definite)?;
            Ok(Box::new(SqliteLocks(connection)) as Box<dyn LockConnection>)
        }
        .boxed()
    }

    fn lock_owner<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        async move {
            let (mut db, name) = (self.connect().await?, name.to_owned());
            db.run("look for a lock", move |connection| locks::owner(connection, &name)).await
        }
        .boxed()
    }

    fn end_lock<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        async move {
            let (mut db, name) = (self.connect().await?, name.to_owned());
            db.write("end a lock", move |connection| locks::end(connection, &name)).await
        }
        .boxed()
    }

    fn table(&self) -> BoxFuture<'_, Result<BookingTable>> {
        async { self.connect().await?.run("read the tables", statements::table).await }.boxed()
    }

    fn drop_tables(&self) -> BoxFuture<'_, Result<()>> {
        async {
            let mut db = self.connect().await?;
            db.write("drop the tables", statements::drop_tables).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::DRIVER;

    #[test]
    fn the_report_names_the_driver_that_was_built() {
        let (name, version) = DRIVER.split_once(' ').unwrap();
        let package = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(include_str!("../../../Cargo.lock").contains(&package), "{package}");
    }
}

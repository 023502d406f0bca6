//! `PostgreSQL`, through tokio-postgres.
//!
//! Tables live in a schema of the run's own. Each holder has a connection that the rig's closure
//! addresses, so that its link may lead through a proxy; the judge has a configuration that does not.
//! The server's own limits (`statement_timeout`, `lock_timeout`, `idle_in_transaction_session_timeout`)
//! stay at its defaults unless the address asks for others, since they are part of what is put to the test.

mod address;
mod answer;
mod connection;
mod dial;
mod locks;
mod name;
mod sql;
mod tls;

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{
    AttemptId, BookingId, BookingRow, BookingTable, DriverSetting, HolderId, SlotId, SlotRow, Span,
};
use tokio_postgres::{Client, Error, Row};

pub use self::address::{PostgresAddress, PostgresDialError, PostgresUrlError};
use self::connection::PostgresConnection;
pub use self::dial::Dialled;
use self::locks::PostgresLocks;
pub use self::name::SchemaName;
pub use self::tls::TlsError;
use crate::columns::{narrow, token_from};
use crate::{BookingError, BookingStore, Connection, Layout, LockConnection, Result};

/// Which driver, for the report; a test holds it against Cargo.lock.
const DRIVER: &str = "tokio-postgres 0.7.18";

/// Slots and bookings in a schema of `PostgreSQL`.
#[derive(Clone)]
pub struct PostgresStore {
    schema: Arc<SchemaName>,
    judge: PostgresAddress,
    holders: Arc<dyn Fn(HolderId) -> PostgresAddress + Send + Sync>,
}

impl PostgresStore {
    /// A store in `schema`, which must not exist yet. `judge` is how the tables are made and read;
    /// `holders` is how each holder dials, now and whenever it has to dial again.
    ///
    /// Connections belong to the tokio runtime that opens them.
    #[must_use]
    pub fn new<A: Into<PostgresAddress>>(
        schema: SchemaName,
        judge: A,
        holders: impl Fn(HolderId) -> A + Send + Sync + 'static,
    ) -> Self {
        let holders = Arc::new(move |holder| holders(holder).into());
        Self { schema: Arc::new(schema), judge: judge.into(), holders }
    }

    async fn judge(&self) -> Result<Dialled> {
        Dialled::dial(&self.judge).await
    }
}

impl BookingStore for PostgresStore {
    fn engine(&self) -> &'static str {
        "postgres"
    }

    fn version(&self) -> BoxFuture<'_, Result<String>> {
        async {
            let judge = self.judge().await?;
            let row = judge.client.query_one("SHOW server_version", &[]).await;
            Ok(row.map_err(|error| BookingError::postgres("ask for the version", error))?.get(0))
        }
        .boxed()
    }

    fn driver_settings(&self) -> Vec<DriverSetting> {
        let address = (self.holders)(HolderId(1));
        let holder = address.config();
        let or_unset = |limit: Option<&std::time::Duration>| {
            limit.map_or_else(|| "unset".to_owned(), |limit| format!("{limit:?}"))
        };
        let asked = |setting: &str| {
            let options = holder.get_options().unwrap_or_default().split_whitespace();
            let mut value =
                options.filter_map(|word| word.strip_prefix(setting)?.strip_prefix('='));
            value
                .next_back()
                .map_or_else(|| "the server's default".to_owned(), |ms| format!("{ms} ms"))
        };
        let settings = [
            ("tcp_nodelay", "on".to_owned()),
            (
                "keepalives",
                format!("{} after {:?}", holder.get_keepalives(), holder.get_keepalives_idle()),
            ),
            ("tcp_user_timeout", or_unset(holder.get_tcp_user_timeout())),
            ("connect_timeout", or_unset(holder.get_connect_timeout())),
            ("sslmode", address.ssl_mode().to_owned()),
            ("answer timeout", "none".to_owned()),
            ("statement_timeout", "the server's default".to_owned()),
            ("lock_timeout", asked("lock_timeout")),
            ("idle_in_transaction_session_timeout", asked("idle_in_transaction_session_timeout")),
            ("isolation", "READ COMMITTED, said at each BEGIN".to_owned()),
            ("prepared statements", "once per connection".to_owned()),
            ("retries", "none; a lost connection is dialled again at the next begin".to_owned()),
        ];
        let driver = || DRIVER.to_owned();
        settings
            .map(|(setting, value)| DriverSetting {
                driver: driver(),
                setting: setting.to_owned(),
                value,
            })
            .into()
    }

    fn create(&self, layout: Layout) -> BoxFuture<'_, Result<()>> {
        async move {
            let Layout { slots, capacity, constraints } = layout;
            let schema = &self.schema;
            let tables = include_str!("postgres/schema.sql").replace("{schema}", schema.as_str());
            let exclusion = if constraints.exclude_overlap {
                include_str!("postgres/exclusion.sql").replace("{schema}", schema.as_str())
            } else {
                String::new()
            };
            // The index by which bookings are counted is the constraint where the guard asks for one.
            let unique = if constraints.unique_unit { "UNIQUE" } else { "" };
            let statements = format!(
                "BEGIN;
                 {tables}
                 {exclusion}
                 CREATE {unique} INDEX bookings_of_slot
                     ON {schema}.bookings (slot, span_from, span_to, unit)
                     WHERE state = 'confirmed';
                 INSERT INTO {schema}.slots (slot, capacity)
                     SELECT slot, {capacity} FROM generate_series(1, {slots}) AS slot;
                 COMMIT;
                 ANALYZE {schema}.slots;"
            );
            self.judge().await?.run("make the tables", &statements).await
        }
        .boxed()
    }

    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        async move {
            let schema = Arc::clone(&self.schema);
            let connection = PostgresConnection::open((self.holders)(holder), schema).await?;
            Ok(Box::new(connection) as Box<dyn Connection>)
        }
        .boxed()
    }

    fn open_locks(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LockConnection>>> {
        async move {
            let schema = Arc::clone(&self.schema);
            let locks = PostgresLocks::open(&(self.holders)(holder), schema).await;
            // Nothing but a session has been asked for.
            let locks = locks.map_err(BookingError::definite)?;
            Ok(Box::new(locks) as Box<dyn LockConnection>)
        }
        .boxed()
    }

    fn lock_owner<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        async move { locks::owner(&self.judge().await?.client, &self.schema, name).await }.boxed()
    }

    fn end_lock<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        async move { locks::end(&self.judge().await?.client, &self.schema, name).await }.boxed()
    }

    fn table(&self) -> BoxFuture<'_, Result<BookingTable>> {
        async {
            let judge = self.judge().await?;
            let (slots, bookings) = both_tables(&judge.client, &self.schema)
                .await
                .map_err(|error| BookingError::postgres("read the tables", error))?;
            Ok(BookingTable {
                slots: slots.iter().map(slot_row).collect::<Result<_>>()?,
                bookings: bookings.iter().map(booking_row).collect::<Result<_>>()?,
            })
        }
        .boxed()
    }

    fn drop_tables(&self) -> BoxFuture<'_, Result<()>> {
        async {
            // A holder that died without a word may still have locks here; the run's end must not hang on it.
            let statements =
                format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
            self.judge().await?.run("drop the tables", &statements).await
        }
        .boxed()
    }
}

async fn both_tables(client: &Client, schema: &SchemaName) -> Result<(Vec<Row>, Vec<Row>), Error> {
    // One snapshot of both tables. The connection is closed afterwards, which ends the transaction.
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let slots = format!("SELECT slot, capacity, version, fence FROM {schema}.slots ORDER BY slot");
    let bookings = format!(
        "SELECT id, slot, unit, holder, attempt, fencing_token, span_from, span_to
         FROM {schema}.bookings WHERE state = 'confirmed' ORDER BY id"
    );
    Ok((client.query(&slots, &[]).await?, client.query(&bookings, &[]).await?))
}

fn slot_row(row: &Row) -> Result<SlotRow> {
    Ok(SlotRow {
        slot: SlotId(narrow(row.get(0))?),
        capacity: narrow(row.get(1))?,
        version: row.get(2),
        fence: token_from(row.get(3)),
    })
}

fn booking_row(row: &Row) -> Result<BookingRow> {
    Ok(BookingRow {
        id: BookingId(row.get(0)),
        slot: SlotId(narrow(row.get(1))?),
        span: Span { from: narrow(row.get(6))?, to: narrow(row.get(7))? },
        unit: narrow(row.get(2))?,
        holder: HolderId(narrow(row.get(3))?),
        attempt: AttemptId(narrow(row.get(4))?),
        fencing_token: row.get::<_, Option<i64>>(5).map(token_from),
    })
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration may hold a password.
        f.debug_struct("PostgresStore").field("schema", &self.schema).finish_non_exhaustive()
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

//! MariaDB, through `mysql_async`.
//!
//! Tables live in a database of the run's own, which MariaDB takes for the same as a schema. Each holder has a
//! connection that the rig's closure addresses, so that its link may lead through a proxy; the judge has an address
//! that does not.
//!
//! What differs from `PostgreSQL`, where a guard could notice:
//!
//! * Its default is REPEATABLE READ, under which a check does not see what others commit after it began, and a
//!   `FOR UPDATE` of rows that are not there locks the gap. READ COMMITTED is said to every session, since that is
//!   what the guards are written for.
//! * A statement that fails leaves the transaction as it was before, and COMMIT would keep what came before it; so
//!   one that failed is never committed.
//! * `FOR UPDATE` also waits for rows that others have written and not yet committed, where `PostgreSQL` does not see
//!   them.
//! * Named locks (`GET_LOCK`) are the session's and outlive its transactions, so no guard is one here; locks are (`mysql-get-lock`).
//! * `innodb_lock_wait_timeout` is 50 s unless the server says otherwise: nobody waits for a row for ever.

mod address;
mod answer;
mod connection;
mod dial;
mod locks;

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{
    AttemptId, BookingId, BookingRow, BookingTable, DriverSetting, HolderId, SlotId, SlotRow, Span,
};

pub use self::address::{MariadbAddress, MariadbUrlError};
use self::connection::MariadbConnection;
pub use self::dial::Dialled;
use self::locks::MariadbLocks;
use crate::columns::{narrow, token_from};
use crate::{BookingError, BookingStore, Connection, Layout, LockConnection, Result, SchemaName};

/// Which driver, for the report; a test holds it against Cargo.lock.
const DRIVER: &str = "mysql_async 0.37.1";

/// Slots and bookings in a database of a MariaDB server.
#[derive(Clone)]
pub struct MariadbStore {
    schema: Arc<SchemaName>,
    judge: MariadbAddress,
    holders: Arc<dyn Fn(HolderId) -> MariadbAddress + Send + Sync>,
}

impl MariadbStore {
    /// A store in `schema`, which must not exist yet. `judge` is how the tables are made and read;
    /// `holders` is how each holder dials, now and whenever it has to dial again.
    ///
    /// Connections belong to the tokio runtime that opens them.
    #[must_use]
    pub fn new(
        schema: SchemaName,
        judge: MariadbAddress,
        holders: impl Fn(HolderId) -> MariadbAddress + Send + Sync + 'static,
    ) -> Self {
        Self { schema: Arc::new(schema), judge, holders: Arc::new(holders) }
    }
}

impl BookingStore for MariadbStore {
    fn engine(&self) -> &'static str {
        "mariadb"
    }

    fn version(&self) -> BoxFuture<'_, Result<String>> {
        async {
            let judge = self.judge.connect().await?;
            let rows =
                judge.rows::<(String,)>("ask for the version", "SELECT VERSION()".to_owned());
            Ok(rows.await?.pop().map_or_else(String::new, |(version,)| version))
        }
        .boxed()
    }

    fn driver_settings(&self) -> Vec<DriverSetting> {
        let holder = (self.holders)(HolderId(1));
        let set_up = match holder.set_up() {
            [] => "nothing".to_owned(),
            said => said.join("; "),
        };
        let settings = [
            ("tcp_nodelay", "on".to_owned()),
            ("keepalives", format!("after {:?}", MariadbAddress::keepalive_after())),
            ("tcp_user_timeout", "unset; the driver has none".to_owned()),
            ("connect_timeout", format!("{:?}", holder.dial_within())),
            ("tls", "not spoken".to_owned()),
            ("answer timeout", "none".to_owned()),
            ("rows affected", "those that matched (CLIENT_FOUND_ROWS)".to_owned()),
            ("limits said to the session", set_up),
            (
                "isolation",
                "READ COMMITTED, said when the session is opened; the server's default is REPEATABLE READ"
                    .to_owned(),
            ),
            ("prepared statements", "once per connection".to_owned()),
            ("retries", "none; a lost connection is dialled again at the next begin".to_owned()),
        ];
        settings
            .map(|(setting, value)| DriverSetting {
                driver: DRIVER.to_owned(),
                setting: setting.to_owned(),
                value,
            })
            .into()
    }

    fn create(&self, layout: Layout) -> BoxFuture<'_, Result<()>> {
        async move {
            let Layout { slots, capacity, constraints } = layout;
            let schema = &self.schema;
            let tables = include_str!("mariadb/schema.sql").replace("{schema}", schema.as_str());
            let exclusion = if constraints.exclude_overlap {
                include_str!("mariadb/exclusion.sql").replace("{schema}", schema.as_str())
            } else {
                String::new()
            };
            // The index by which bookings are counted is the constraint where the guard asks for one.
            let unique = if constraints.unique_unit { "UNIQUE" } else { "" };
            // Tables are not made in a transaction here; a database that was half made is dropped with the rest.
            let statements = format!(
                "{tables}
                 {exclusion}
                 CREATE {unique} INDEX bookings_of_slot
                     ON {schema}.bookings (slot, span_from, span_to, confirmed_unit);
                 INSERT INTO {schema}.slots (slot, capacity)
                     SELECT seq, {capacity} FROM {schema}.seq_1_to_{slots};"
            );
            self.judge.connect().await?.run("make the tables", statements).await
        }
        .boxed()
    }

    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        async move {
            let (address, schema) = ((self.holders)(holder), Arc::clone(&self.schema));
            let connection = MariadbConnection::open(address, schema, holder).await?;
            Ok(Box::new(connection) as Box<dyn Connection>)
        }
        .boxed()
    }

    fn open_locks(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LockConnection>>> {
        async move {
            let schema = Arc::clone(&self.schema);
            let locks = MariadbLocks::open(&(self.holders)(holder), schema, holder).await;
            // Nothing but a session has been asked for.
            let locks = locks.map_err(BookingError::definite)?;
            Ok(Box::new(locks) as Box<dyn LockConnection>)
        }
        .boxed()
    }

    fn lock_owner<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        async move { locks::owner(&self.judge.connect().await?, &self.schema, name).await }.boxed()
    }

    fn end_lock<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        async move { locks::end(&self.judge.connect().await?, &self.schema, name).await }.boxed()
    }

    fn table(&self) -> BoxFuture<'_, Result<BookingTable>> {
        async {
            const DOING: &str = "read the tables";
            let (judge, schema) = (self.judge.connect().await?, &self.schema);
            // One snapshot of both tables. The connection is closed afterwards, which ends the transaction.
            let begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
                         START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
            judge.run(DOING, begin.to_owned()).await?;
            let slots =
                format!("SELECT slot, capacity, version, fence FROM {schema}.slots ORDER BY slot");
            let bookings = format!(
                "SELECT id, slot, unit, holder, attempt, fencing_token, span_from, span_to
                 FROM {schema}.bookings WHERE state = 'confirmed' ORDER BY id"
            );
            let (slots, bookings) =
                (judge.rows(DOING, slots).await?, judge.rows(DOING, bookings).await?);
            Ok(BookingTable {
                slots: slots.into_iter().map(slot_row).collect::<Result<_>>()?,
                bookings: bookings.into_iter().map(booking_row).collect::<Result<_>>()?,
            })
        }
        .boxed()
    }

    fn drop_tables(&self) -> BoxFuture<'_, Result<()>> {
        async {
            // A holder that died without a word may still have locks here; the run's end must not hang on it.
            let statements = format!(
                "SET SESSION lock_wait_timeout = 10; DROP DATABASE IF EXISTS {}",
                self.schema
            );
            self.judge.connect().await?.run("drop the tables", statements).await
        }
        .boxed()
    }
}

fn slot_row((slot, capacity, version, fence): (i64, i64, i64, i64)) -> Result<SlotRow> {
    Ok(SlotRow {
        slot: SlotId(narrow(slot)?),
        capacity: narrow(capacity)?,
        version,
        fence: token_from(fence),
    })
}

type Booking = (i64, i64, i64, i64, i64, Option<i64>, i64, i64);

fn booking_row((id, slot, unit, holder, attempt, token, from, to): Booking) -> Result<BookingRow> {
    Ok(BookingRow {
        id: BookingId(id),
        slot: SlotId(narrow(slot)?),
        span: Span { from: narrow(from)?, to: narrow(to)? },
        unit: narrow(unit)?,
        holder: HolderId(narrow(holder)?),
        attempt: AttemptId(narrow(attempt)?),
        fencing_token: token.map(token_from),
    })
}

impl fmt::Debug for MariadbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("MariadbStore").field("schema", &self.schema).finish_non_exhaustive()
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

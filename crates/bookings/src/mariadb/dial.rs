//! Opening a connection, and what is prepared on it once.

use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::HolderId;
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, DriverError, Error, FromRowError, Params, Row, Statement};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{MariadbAddress, answer};
use crate::error::Kind;
use crate::{BookingError, Result, SchemaName};

/// Something to be done with the connection; whether it can be used after it.
type Order = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, bool> + Send>;

/// An open connection. Dropping it closes it, and the server rolls back what is open.
///
/// The driver's own connection is no longer of use once a future of it was dropped: it would take the answer that
/// comes for the one to the next statement. So a task has it, and carries orders out one after the other, each to its
/// end, whoever still waits for it. Not in the holder's group: a paused process stops reading, but its kernel goes on
/// receiving.
pub struct Dialled {
    orders: mpsc::UnboundedSender<Order>,
    _driver: JoinSet<()>,
}

/// What a statement without rows did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// Rows that it matched.
    pub(super) rows: u64,
    /// The key that was drawn for the row that it wrote.
    pub(super) key: Option<u64>,
}

impl Dialled {
    /// Dials, with sessions in `database` where one is given.
    pub(super) async fn dial(address: &MariadbAddress, database: Option<&str>) -> Result<Self> {
        let limit = address.dial_within();
        let dialled = tokio::time::timeout(limit, Conn::new(address.opts(database))).await;
        let dialled = dialled.map_err(|_| Kind::MariadbDialTimedOut(limit))?;
        let dialled = dialled.map_err(|error| BookingError::mariadb("open a connection", error));
        Ok(Self::driven(dialled?))
    }

    fn driven(mut connection: Conn) -> Self {
        let (orders, mut received) = mpsc::unbounded_channel::<Order>();
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            while let Some(order) = received.recv().await {
                if !order(&mut connection).await {
                    tracing::debug!("a connection to MariaDB ended");
                    return;
                }
            }
        });
        Self { orders, _driver: driver }
    }

    /// Whether it was lost. Nobody reads while nothing was asked, so that a loss is noticed by the next statement.
    pub(super) fn is_closed(&self) -> bool {
        self.orders.is_closed()
    }

    /// Has the connection do `order`, after everything that it was told before.
    async fn has<T, F>(&self, order: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let order: Order = Box::new(move |connection| {
            async move {
                let result = order(connection).await;
                let goes_on = !result.as_ref().is_err_and(answer::is_the_end);
                // Whoever asked may have stopped waiting.
                drop(answer.send(result));
                goes_on
            }
            .boxed()
        });
        let closed = || DriverError::ConnectionClosed.into();
        self.orders.send(order).map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs statements, and leaves the rows that they answer with alone.
    ///
    /// # Errors
    /// A statement fails; those after it are not run.
    ///
    /// # Cancel safety
    /// Dropped, they are run all the same.
    pub async fn run(&self, doing: &'static str, statements: String) -> Result<()> {
        self.send(statements).await.map_err(|error| BookingError::mariadb(doing, error))
    }

    /// The same with the driver's own error.
    pub(super) async fn send(&self, statements: String) -> Result<(), Error> {
        self.has(|connection| connection.query_drop(statements).boxed()).await
    }

    /// The rows that `statement` answers with.
    ///
    /// # Errors
    /// It fails, or its columns are of other types.
    ///
    /// # Cancel safety
    /// Dropped, it is run all the same.
    pub async fn rows<T>(&self, doing: &'static str, statement: String) -> Result<Vec<T>>
    where
        T: FromRow + Send + 'static,
    {
        let rows = self.has(|connection| connection.query::<Row, _>(statement).boxed()).await;
        let rows = rows.map_err(|error| BookingError::mariadb(doing, error))?;
        rows.into_iter().map(|row| read(doing, row)).collect()
    }

    /// The rows that `statement` answers with once it has been given `values`.
    pub(super) async fn rows_of<T: FromRow + Send + 'static>(
        &self,
        doing: &'static str,
        statement: &str,
        values: impl Into<Params>,
    ) -> Result<Vec<T>> {
        let (statement, values) = (statement.to_owned(), values.into());
        let rows = self.has(|connection| connection.exec::<Row, _, _>(statement, values).boxed());
        let rows = rows.await.map_err(|error| BookingError::mariadb(doing, error))?;
        rows.into_iter().map(|row| read(doing, row)).collect()
    }

    /// The first row that a prepared statement answers with.
    pub(super) async fn first(
        &self,
        statement: Statement,
        values: impl Into<Params>,
    ) -> Result<Option<Row>, Error> {
        let values = values.into();
        self.has(|connection| connection.exec_first(statement, values).boxed()).await
    }

    /// Runs a prepared statement that answers with no rows.
    pub(super) async fn execute(
        &self,
        statement: Statement,
        values: impl Into<Params>,
    ) -> Result<Done, Error> {
        let values = values.into();
        self.has(|connection| {
            async move {
                connection.exec_drop(statement, values).await?;
                Ok(Done { rows: connection.affected_rows(), key: connection.last_insert_id() })
            }
            .boxed()
        })
        .await
    }

    pub(super) async fn prepare(&self, statement: String) -> Result<Statement> {
        let prepared = self.has(|connection| connection.prep(statement).boxed()).await;
        prepared.map_err(|error| BookingError::mariadb("prepare the statements", error))
    }
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialled").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// The columns of `row`.
pub(super) fn read<T: FromRow>(doing: &'static str, row: Row) -> Result<T> {
    T::from_row_opt(row).map_err(|FromRowError(row)| {
        BookingError::mariadb(doing, DriverError::FromRow { row }.into())
    })
}

/// The primitives' statements, prepared once per connection, since no application that cares for its
/// latency would have them parsed with every booking.
pub(super) struct Statements {
    pub(super) read_slot: Statement,
    pub(super) lock_slot: Statement,
    pub(super) lock_slot_nowait: Statement,
    pub(super) lock_slot_skip: Statement,
    pub(super) count_confirmed: Statement,
    pub(super) lock_confirmed: Statement,
    pub(super) reserve_key: Statement,
    pub(super) find_booking: Statement,
    pub(super) raise_fence: Statement,
    pub(super) bump_version: Statement,
    pub(super) insert: Statement,
}

impl Statements {
    pub(super) async fn prepare(dialled: &Dialled, schema: &SchemaName) -> Result<Self> {
        let read_slot =
            format!("SELECT capacity, version, fence FROM {schema}.slots WHERE slot = ?");
        let lock_slot = format!("{read_slot} FOR UPDATE");
        let count_confirmed = format!(
            "SELECT count(*) FROM {schema}.bookings
             WHERE slot = ? AND state = 'confirmed' AND span_from < ? AND span_to > ?"
        );
        // A key that is there already is a warning and no row. The values here can be ignored for no other reason.
        let reserve_key = format!("INSERT IGNORE INTO {schema}.request_keys (request) VALUES (?)");
        let find_booking =
            format!("SELECT id FROM {schema}.bookings WHERE attempt = ? AND state = 'confirmed'");
        let raise_fence =
            format!("UPDATE {schema}.slots SET fence = ? WHERE slot = ? AND fence <= ?");
        let bump_version = format!(
            "UPDATE {schema}.slots SET version = version + 1 WHERE slot = ? AND version = ?"
        );
        let insert = format!(
            "INSERT INTO {schema}.bookings
                 (slot, span_from, span_to, unit, holder, attempt, state, fencing_token)
             VALUES (?, ?, ?, ?, ?, ?, 'confirmed', ?)"
        );
        Ok(Self {
            lock_slot_nowait: dialled.prepare(format!("{lock_slot} NOWAIT")).await?,
            lock_slot_skip: dialled.prepare(format!("{lock_slot} SKIP LOCKED")).await?,
            lock_confirmed: dialled.prepare(format!("{count_confirmed} FOR UPDATE")).await?,
            read_slot: dialled.prepare(read_slot).await?,
            lock_slot: dialled.prepare(lock_slot).await?,
            count_confirmed: dialled.prepare(count_confirmed).await?,
            reserve_key: dialled.prepare(reserve_key).await?,
            find_booking: dialled.prepare(find_booking).await?,
            raise_fence: dialled.prepare(raise_fence).await?,
            bump_version: dialled.prepare(bump_version).await?,
            insert: dialled.prepare(insert).await?,
        })
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

/// Opens the session of `holder` in `schema` for its bookings.
pub(super) async fn session(
    address: &MariadbAddress,
    schema: &SchemaName,
    holder: HolderId,
) -> Result<(Dialled, Statements)> {
    let dialled = dial_as(address, schema, holder).await?;
    let statements = Statements::prepare(&dialled, schema).await?;
    Ok((dialled, statements))
}

/// Opens a session of `holder` in `schema`: at READ COMMITTED, which is not the server's default, with times that no
/// summer sets back, and noted as the holder's.
pub(super) async fn dial_as(
    address: &MariadbAddress,
    schema: &SchemaName,
    holder: HolderId,
) -> Result<Dialled> {
    let dialled = Dialled::dial(address, Some(schema.as_str())).await?;
    let set_up = format!(
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
         SET SESSION time_zone = '+00:00';
         REPLACE INTO {schema}.sessions (connection, holder) VALUES (CONNECTION_ID(), {})",
        holder.0
    );
    dialled.run("set the session up", set_up).await?;
    Ok(dialled)
}

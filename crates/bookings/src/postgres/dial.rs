//! Opening a connection, and what is prepared on it once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use futures_util::try_join;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Connection, Statement};

use super::{PostgresAddress, PostgresDialError, SchemaName};
use crate::error::Kind;
use crate::{BookingError, Result};

/// An open connection. Dropping it closes the socket at once, as the death of its process would, and the
/// server rolls back what is open.
pub struct Dialled {
    pub(super) client: Client,
    /// Moves bytes between the client and the socket. Not in the holder's group: a paused process stops
    /// reading, but its kernel goes on receiving.
    _driver: JoinSet<()>,
}

impl Dialled {
    /// The way to speak over it.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) async fn dial(address: &PostgresAddress) -> Result<Self> {
        address.connect().await.map_err(|error| match error {
            PostgresDialError::Driver(error) => BookingError::postgres("open a connection", error),
            PostgresDialError::Tls(error) => Kind::Tls(error).into(),
        })
    }

    pub(super) fn driven<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            if let Err(error) = connection.await {
                // Each statement in flight has got the error as well.
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        Self { client, _driver: driver }
    }

    /// Runs statements that answer with no rows.
    pub(super) async fn run(&self, doing: &'static str, statements: &str) -> Result<()> {
        let answer = self.client.batch_execute(statements).await;
        answer.map_err(|error| BookingError::postgres(doing, error))
    }
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialled").field("closed", &self.client.is_closed()).finish_non_exhaustive()
    }
}

/// The primitives' statements, prepared once per connection, since no application that cares for its
/// latency would have them parsed with every booking.
pub(super) struct Statements {
    pub(super) read_slot: Statement,
    pub(super) lock_slot: Statement,
    pub(super) lock_slot_nowait: Statement,
    pub(super) lock_slot_skip: Statement,
    pub(super) count_confirmed: Statement,
    pub(super) read_slot_and_count: Statement,
    pub(super) lock_confirmed: Statement,
    pub(super) lock_advisory: Statement,
    pub(super) reserve_key: Statement,
    pub(super) find_booking: Statement,
    pub(super) raise_fence: Statement,
    pub(super) bump_version: Statement,
    pub(super) insert: Statement,
    of_application: Mutex<BTreeMap<&'static str, Statement>>,
}

impl Statements {
    pub(super) async fn prepare(client: &Client, schema: &SchemaName) -> Result<Self> {
        let read_slot =
            format!("SELECT capacity, version, fence FROM {schema}.slots WHERE slot = $1");
        let lock_slot = format!("{read_slot} FOR UPDATE");
        let lock_slot_nowait = format!("{lock_slot} NOWAIT");
        let lock_slot_skip = format!("{lock_slot} SKIP LOCKED");
        let confirmed = format!(
            "FROM {schema}.bookings
             WHERE slot = $1 AND state = 'confirmed' AND span_from < $3 AND span_to > $2"
        );
        let count_confirmed = format!("SELECT count(*) {confirmed}");
        let read_slot_and_count = format!(
            "SELECT capacity, version, fence, ({count_confirmed}) FROM {schema}.slots WHERE slot = $1"
        );
        let lock_confirmed = format!("SELECT id {confirmed} FOR UPDATE");
        let reserve_key = format!(
            "INSERT INTO {schema}.request_keys (request) VALUES ($1) ON CONFLICT DO NOTHING"
        );
        let find_booking =
            format!("SELECT id FROM {schema}.bookings WHERE attempt = $1 AND state = 'confirmed'");
        let raise_fence =
            format!("UPDATE {schema}.slots SET fence = $2 WHERE slot = $1 AND fence <= $2");
        let bump_version = format!(
            "UPDATE {schema}.slots SET version = version + 1 WHERE slot = $1 AND version = $2"
        );
        let insert = format!(
            "INSERT INTO {schema}.bookings
                 (slot, span_from, span_to, unit, holder, attempt, state, fencing_token)
             VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7) RETURNING id"
        );
        let prepare = async |statement: &str| {
            let prepared = client.prepare(statement).await;
            prepared.map_err(|error| BookingError::postgres("prepare the statements", error))
        };
        let reads = async {
            try_join!(
                prepare(&read_slot),
                prepare(&lock_slot),
                prepare(&lock_slot_nowait),
                prepare(&lock_slot_skip),
                prepare(&count_confirmed),
                prepare(&read_slot_and_count),
                prepare(&lock_confirmed),
                prepare(&find_booking),
            )
        };
        let writes = async {
            try_join!(
                prepare("SELECT pg_advisory_xact_lock($1)"),
                prepare(&reserve_key),
                prepare(&raise_fence),
                prepare(&bump_version),
                prepare(&insert),
            )
        };
        let (reads, writes) = try_join!(reads, writes)?;
        let (
            read_slot,
            lock_slot,
            lock_slot_nowait,
            lock_slot_skip,
            count_confirmed,
            read_slot_and_count,
            lock_confirmed,
            find_booking,
        ) = reads;
        let (lock_advisory, reserve_key, raise_fence, bump_version, insert) = writes;
        Ok(Self {
            read_slot,
            lock_slot,
            lock_slot_nowait,
            lock_slot_skip,
            count_confirmed,
            read_slot_and_count,
            lock_confirmed,
            lock_advisory,
            reserve_key,
            find_booking,
            raise_fence,
            bump_version,
            insert,
            of_application: Mutex::default(),
        })
    }

    /// An application's own statement, where it was prepared before.
    pub(super) fn of_application(&self, text: &str) -> Option<Statement> {
        self.of_application.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    pub(super) fn keep_of_application(&self, text: &'static str, statement: &Statement) {
        let mut kept = self.of_application.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(text, statement.clone());
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

//! The statements as SQL.

use std::sync::Arc;

use lockproof_database_model::{
    AdvisoryScope, Answer, BookingValues, Isolation, SlotLock, Statement,
};
use lockproof_model::BookingId;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::{narrow, slot_row};
use crate::script::Outcome;

/// Indexes are used however small the tables are, as they would be for large ones: a sequential scan locks all of a
/// table at SERIALIZABLE. Circles are looked for at once.
pub(crate) const SETTINGS: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off;
     SET plan_cache_mode = force_generic_plan; SET jit = off; SET deadlock_timeout = '1ms'";

const SQL: [&str; 22] = [
    "SELECT slot, capacity, version, fence FROM {schema}.slots WHERE slot = $1",
    "SELECT slot, capacity, version, fence FROM {schema}.slots WHERE slot = $1 FOR UPDATE",
    "SELECT slot, capacity, version, fence FROM {schema}.slots WHERE slot = $1 FOR UPDATE NOWAIT",
    "SELECT slot, capacity, version, fence FROM {schema}.slots WHERE slot = $1
     FOR UPDATE SKIP LOCKED",
    "SELECT slot, capacity, version, fence FROM {schema}.slots WHERE slot = $1 FOR SHARE",
    "SELECT count(*) FROM {schema}.bookings
     WHERE slot = $1 AND state = 'confirmed' AND span_from < $3 AND span_to > $2",
    "UPDATE {schema}.slots SET fence = $2 WHERE slot = $1 AND fence <= $2",
    "UPDATE {schema}.slots SET version = version + 1 WHERE slot = $1 AND version = $2",
    "UPDATE {schema}.slots SET version = $2 WHERE slot = $1",
    "UPDATE {schema}.slots SET version = version + $2 WHERE slot = $1",
    "INSERT INTO {schema}.bookings
         (slot, span_from, span_to, unit, holder, attempt, state, fencing_token)
     VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7) RETURNING id",
    "DELETE FROM {schema}.bookings WHERE id = $1",
    "SELECT pg_advisory_lock($1)",
    "SELECT pg_advisory_xact_lock($1)",
    "SELECT pg_try_advisory_lock($1)",
    "SELECT pg_try_advisory_xact_lock($1)",
    "SELECT pg_advisory_unlock($1)",
    "SELECT pg_advisory_unlock_all()",
    "SELECT id FROM {schema}.bookings
     WHERE slot = $1 AND state = 'confirmed' AND span_from < $3 AND span_to > $2 FOR UPDATE",
    "INSERT INTO {schema}.request_keys (request) VALUES ($1) ON CONFLICT DO NOTHING",
    "SELECT id FROM {schema}.bookings WHERE attempt = $1 AND state = 'confirmed' ORDER BY id LIMIT 1",
    "SELECT slot, capacity, version, fence,
         (SELECT count(*) FROM {schema}.bookings
          WHERE slot = $1 AND state = 'confirmed' AND span_from < $3 AND span_to > $2)
     FROM {schema}.slots WHERE slot = $1",
];

/// One session's statements on one schema.
pub(crate) struct Prepared {
    client: Arc<Client>,
    /// What is added to the keys of advisory locks, which all tests on a server share.
    salt: i64,
    statements: Vec<tokio_postgres::Statement>,
}

impl Prepared {
    pub(crate) async fn prepare(client: &Arc<Client>, schema: &str, salt: i64) -> Self {
        let mut statements = Vec::new();
        for sql in SQL {
            let sql = sql.replace("{schema}", schema);
            statements.push(client.prepare(&sql).await.expect("it is SQL"));
        }
        Self { client: Arc::clone(client), salt, statements }
    }

    pub(crate) async fn say(&self, statement: Statement) -> Outcome {
        Some(match self.answer(statement).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(code(&error)),
        })
    }

    async fn answer(&self, statement: Statement) -> Result<Answer, Error> {
        match statement {
            Statement::Begin(isolation) => {
                let level = match isolation {
                    Isolation::ReadCommitted => "READ COMMITTED",
                    Isolation::RepeatableRead => "REPEATABLE READ",
                    Isolation::Serializable => "SERIALIZABLE",
                };
                self.control(&format!("BEGIN ISOLATION LEVEL {level}")).await
            }
            Statement::Commit => self.control("COMMIT").await,
            Statement::Rollback => self.control("ROLLBACK").await,
            Statement::ReadSlot { slot, lock } => {
                let which = match lock {
                    SlotLock::None => 0,
                    SlotLock::ForUpdate => 1,
                    SlotLock::ForUpdateNoWait => 2,
                    SlotLock::ForUpdateSkipLocked => 3,
                    SlotLock::ForShare => 4,
                };
                let key = i64::from(slot.0);
                let row = self.client.query_opt(&self.statements[which], &[&key]).await?;
                Ok(Answer::Slot(row.as_ref().map(slot_row)))
            }
            Statement::CountConfirmed { slot, span } => {
                let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
                let row = self.client.query_one(&self.statements[5], &[&key, &from, &to]).await?;
                Ok(Answer::Count(narrow(&row, 0)))
            }
            Statement::ReadSlotAndCount { slot, span } => {
                let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
                let row = self.client.query_opt(&self.statements[21], &[&key, &from, &to]).await?;
                Ok(Answer::SlotAndCount(row.as_ref().map(|row| (slot_row(row), narrow(row, 4)))))
            }
            Statement::LockConfirmed { slot, span } => {
                let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
                let rows = self.client.execute(&self.statements[18], &[&key, &from, &to]).await?;
                Ok(Answer::Count(u32::try_from(rows).expect("there are few")))
            }
            Statement::ReserveKey { request } => self.change(19, &[&i64::from(request.0)]).await,
            Statement::FindBooking { attempt } => {
                let key = i64::from(attempt.0);
                let row = self.client.query_opt(&self.statements[20], &[&key]).await?;
                Ok(Answer::Booking(row.map(|row| BookingId(row.get(0)))))
            }
            Statement::RaiseFence { slot, token } => {
                let fence = i64::try_from(token.0).expect("the test writes small numbers");
                self.change(6, &[&i64::from(slot.0), &fence]).await
            }
            Statement::BumpVersion { slot, expected } => {
                self.change(7, &[&i64::from(slot.0), &expected]).await
            }
            Statement::SetVersion { slot, version } => {
                self.change(8, &[&i64::from(slot.0), &version]).await
            }
            Statement::AddVersion { slot, by } => self.change(9, &[&i64::from(slot.0), &by]).await,
            Statement::Insert(values) => self.insert(values).await,
            Statement::Delete { booking } => self.change(11, &[&booking.0]).await,
            Statement::AdvisoryLock { key, scope } => {
                let which = if scope == AdvisoryScope::Session { 12 } else { 13 };
                let key = self.salt.wrapping_add(key);
                self.client.execute(&self.statements[which], &[&key]).await?;
                Ok(Answer::Done)
            }
            Statement::TryAdvisoryLock { key, scope } => {
                let which = if scope == AdvisoryScope::Session { 14 } else { 15 };
                self.ask(which, key).await
            }
            Statement::Lease(_) => unreachable!("held against servers where stores are"),
            Statement::AdvisoryUnlock { key } => self.ask(16, key).await,
            Statement::AdvisoryUnlockAll => {
                self.client.execute(&self.statements[17], &[]).await?;
                Ok(Answer::Done)
            }
        }
    }

    async fn control(&self, sql: &str) -> Result<Answer, Error> {
        self.client.batch_execute(sql).await?;
        Ok(Answer::Done)
    }

    async fn change(&self, which: usize, values: &[&(dyn ToSql + Sync)]) -> Result<Answer, Error> {
        let rows = self.client.execute(&self.statements[which], values).await?;
        Ok(Answer::Changed(u32::try_from(rows).expect("there are two rows")))
    }

    async fn ask(&self, which: usize, key: i64) -> Result<Answer, Error> {
        let key = self.salt.wrapping_add(key);
        let row = self.client.query_one(&self.statements[which], &[&key]).await?;
        Ok(Answer::Advisory(row.get(0)))
    }

    async fn insert(&self, values: BookingValues) -> Result<Answer, Error> {
        let BookingValues { slot, span, unit, holder, attempt, fencing_token } = values;
        let [slot, unit, holder, attempt] = [slot.0, unit, holder.0, attempt.0].map(i64::from);
        let [from, to] = [span.from, span.to].map(i64::from);
        let token = fencing_token
            .map(|token| i64::try_from(token.0).expect("the test writes small numbers"));
        let row = self
            .client
            .query_one(&self.statements[10], &[&slot, &from, &to, &unit, &holder, &attempt, &token])
            .await?;
        Ok(Answer::Inserted(BookingId(row.get(0))))
    }
}

/// Those that the model knows; any other is a mistake of the test.
fn code(error: &Error) -> &'static str {
    let code = error.code().unwrap_or_else(|| panic!("the server answers: {error:?}")).code();
    let known = ["40001", "40P01", "23505", "23P01", "55P03", "25P02"];
    known.into_iter().find(|&known| known == code).unwrap_or_else(|| panic!("{error:?}"))
}

//! The primitives, and how far their transaction has come.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptId, BookingId, FencingToken, SlotId, Span};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::answer;
use super::dial::{Dialled, Statements};
use super::{PostgresAddress, SchemaName};
use crate::columns::{narrow, token_from, token_to};
use crate::error::Kind;
use crate::{
    BookingError, Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock,
    SlotState, TransactionMode, TryLock,
};

/// Said explicitly, since a server or a role may have another default.
const BEGIN_READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const BEGIN_SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

#[derive(Debug)]
pub(super) struct PostgresConnection {
    address: PostgresAddress,
    schema: Arc<SchemaName>,
    /// `None` once it was given up; the next begin dials.
    live: Option<(Dialled, Statements)>,
    transaction: Transaction,
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    /// None is open.
    Closed,
    /// Open, and every statement sent in it has succeeded.
    Open,
    /// Perhaps open, and a statement of it has failed or was dropped before its answer. It must not be
    /// committed: after a failed statement the server answers COMMIT with a silent ROLLBACK.
    Doomed,
}

impl PostgresConnection {
    pub(super) async fn open(address: PostgresAddress, schema: Arc<SchemaName>) -> Result<Self> {
        let mut connection = Self { address, schema, live: None, transaction: Transaction::Closed };
        connection.dial().await?;
        Ok(connection)
    }

    async fn dial(&mut self) -> Result<()> {
        self.live = None;
        let dialled = Dialled::dial(&self.address).await?;
        let statements = Statements::prepare(&dialled.client, &self.schema).await?;
        self.live = Some((dialled, statements));
        Ok(())
    }

    fn is_lost(&self) -> bool {
        self.live.as_ref().is_none_or(|(dialled, _)| dialled.client.is_closed())
    }

    fn live(&self) -> Result<&(Dialled, Statements)> {
        self.live.as_ref().ok_or_else(|| Kind::ConnectionLost.into())
    }

    /// Runs `statement` in the open transaction, which is doomed from before it is sent until it succeeds.
    pub(super) async fn statement<'a, T, F>(
        &'a mut self,
        doing: &'static str,
        statement: impl FnOnce(&'a Client, &'a Statements) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if self.transaction != Transaction::Open {
            return Err(BookingError::from(Kind::Doomed).definite());
        }
        self.transaction = Transaction::Doomed;
        let Some((dialled, statements)) = &self.live else {
            return Err(Kind::ConnectionLost.into());
        };
        let value = statement(&dialled.client, statements)
            .await
            .map_err(|error| answer::statement_error(doing, error))?;
        self.transaction = Transaction::Open;
        Ok(value)
    }

    async fn undo(&mut self) -> Result<()> {
        if self.is_lost() {
            // The transaction, if there was one, ends with its connection.
            self.live = None;
            self.transaction = Transaction::Closed;
        }
        if self.transaction != Transaction::Closed {
            self.transaction = Transaction::Doomed;
            if let Err(error) = self.live()?.0.run("roll back", "ROLLBACK").await {
                self.live = None;
                self.transaction = Transaction::Closed;
                return Err(error);
            }
            self.transaction = Transaction::Closed;
        }
        Ok(())
    }
}

impl Connection for PostgresConnection {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        async move {
            self.undo().await?;
            if self.is_lost() {
                self.dial().await?;
            }
            let begin = match mode {
                TransactionMode::ReadCommitted | TransactionMode::RowLocking => {
                    BEGIN_READ_COMMITTED
                }
                TransactionMode::Serializable => BEGIN_SERIALIZABLE,
            };
            self.transaction = Transaction::Doomed;
            self.live()?.0.run("begin", begin).await?;
            self.transaction = Transaction::Open;
            Ok(())
        }
        .boxed()
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        async move {
            let key = i64::from(slot.0);
            let row = self.statement("read the slot", async |client, statements| {
                let statement = match lock {
                    RowLock::None => &statements.read_slot,
                    RowLock::ForUpdate => &statements.lock_slot,
                };
                client.query_opt(statement, &[&key]).await
            });
            slot_state(&row.await?.ok_or(Kind::NoSlot(slot))?)
        }
        .boxed()
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        async move {
            let key = i64::from(slot.0);
            let tried = self.statement("lock the slot", async |client, statements| {
                let statement = match how {
                    TryLock::NoWait => &statements.lock_slot_nowait,
                    TryLock::SkipLocked => &statements.lock_slot_skip,
                };
                match client.query_opt(statement, &[&key]).await {
                    Err(error) if answer::is_locked(&error) => Ok(None),
                    answer => answer.map(Some),
                }
            });
            match tried.await? {
                Some(row) => row.as_ref().map(slot_state).transpose(),
                None => {
                    self.transaction = Transaction::Doomed;
                    Ok(None)
                }
            }
        }
        .boxed()
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        async move {
            let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
            let row = self.statement("count bookings", async |client, statements| {
                client.query_one(&statements.count_confirmed, &[&key, &from, &to]).await
            });
            narrow(row.await?.get(0))
        }
        .boxed()
    }

    fn read_slot_and_count(
        &mut self,
        slot: SlotId,
        span: Span,
    ) -> BoxFuture<'_, Result<(SlotState, u32)>> {
        async move {
            let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
            let read = self.statement("read the slot and count", async |client, statements| {
                client.query_opt(&statements.read_slot_and_count, &[&key, &from, &to]).await
            });
            let row = read.await?.ok_or(Kind::NoSlot(slot))?;
            Ok((slot_state(&row)?, narrow(row.get(3))?))
        }
        .boxed()
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        async move {
            let [key, from, to] = [slot.0, span.from, span.to].map(i64::from);
            let locked = self.statement("lock the bookings", async |client, statements| {
                client.execute(&statements.lock_confirmed, &[&key, &from, &to]).await
            });
            let rows = locked.await?;
            Ok(u32::try_from(rows).unwrap_or(u32::MAX))
        }
        .boxed()
    }

    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>> {
        async move {
            let key = self.schema.advisory_key(slot);
            let locked = self.statement("take the advisory lock", async |client, statements| {
                client.execute(&statements.lock_advisory, &[&key]).await
            });
            locked.await.map(drop)
        }
        .boxed()
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        async move {
            let key = i64::from(request.0);
            let reserved = self.statement("reserve the key", async |client, statements| {
                client.execute(&statements.reserve_key, &[&key]).await
            });
            if reserved.await? > 0 {
                return Ok(Reserved::New);
            }
            let found = self.statement("find the booking", async |client, statements| {
                client.query_opt(&statements.find_booking, &[&key]).await
            });
            Ok(Reserved::Used(found.await?.map(|row| BookingId(row.get(0)))))
        }
        .boxed()
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        async move {
            let (key, column) = (i64::from(slot.0), token_to(token)?);
            let raised = self.statement("raise the fence", async |client, statements| {
                client.execute(&statements.raise_fence, &[&key, &column]).await
            });
            if raised.await? > 0 {
                return Ok(Raised::Raised);
            }
            let SlotState { fence, .. } = self.read_slot(slot, RowLock::None).await?;
            Ok(Raised::Refused { fence })
        }
        .boxed()
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        async move {
            let key = i64::from(slot.0);
            let bumped = self.statement("raise the version", async |client, statements| {
                client.execute(&statements.bump_version, &[&key, &expected]).await
            });
            Ok(if bumped.await? > 0 { Bumped::Bumped } else { Bumped::Stale })
        }
        .boxed()
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        async move {
            let NewBooking { slot, span, unit, holder, attempt, fencing_token } = booking;
            let numbers = [slot.0, span.from, span.to, unit, holder.0, attempt.0].map(i64::from);
            let token = fencing_token.map(token_to).transpose()?;
            let inserted = self.statement("write the booking", async |client, statements| {
                let mut values: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(7);
                values.extend(numbers.iter().map(|number| number as &(dyn ToSql + Sync)));
                values.push(&token);
                match client.query_one(&statements.insert, &values).await {
                    Ok(row) => Ok(InsertedRow::Row(BookingId(row.get(0)))),
                    Err(error) if answer::is_collision(&error) => Ok(InsertedRow::Collision),
                    Err(error) => Err(error),
                }
            });
            let inserted = inserted.await?;
            if inserted == InsertedRow::Collision {
                self.transaction = Transaction::Doomed;
            }
            Ok(inserted)
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        async move {
            if self.transaction != Transaction::Open {
                return Err(BookingError::from(Kind::Doomed).definite());
            }
            self.transaction = Transaction::Doomed;
            self.live()?.0.client.batch_execute("COMMIT").await.map_err(answer::commit_error)?;
            self.transaction = Transaction::Closed;
            Ok(())
        }
        .boxed()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.undo().boxed()
    }
}

fn slot_state(row: &Row) -> Result<SlotState> {
    Ok(SlotState {
        capacity: narrow(row.get(0))?,
        version: row.get(1),
        fence: token_from(row.get(2)),
    })
}

//! The primitives, and how far their transaction has come.

use std::future::ready;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, SlotId, Span};
use mysql_async::{Error, Params, Row, Statement};

use super::dial::{self, Dialled, Done, Statements, read};
use super::{MariadbAddress, answer};
use crate::columns::{narrow, token_from, token_to};
use crate::error::Kind;
use crate::{
    BookingError, Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock,
    SchemaName, SlotState, TransactionMode, TryLock,
};

#[derive(Debug)]
pub(super) struct MariadbConnection {
    address: MariadbAddress,
    schema: Arc<SchemaName>,
    holder: HolderId,
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
    /// committed: after a failed statement the server would commit what came before it.
    Doomed,
}

impl MariadbConnection {
    pub(super) async fn open(
        address: MariadbAddress,
        schema: Arc<SchemaName>,
        holder: HolderId,
    ) -> Result<Self> {
        let live = Some(dial::session(&address, &schema, holder).await?);
        Ok(Self { address, schema, holder, live, transaction: Transaction::Closed })
    }

    fn is_lost(&self) -> bool {
        self.live.as_ref().is_none_or(|(dialled, _)| dialled.is_closed())
    }

    fn live(&self) -> Result<&(Dialled, Statements)> {
        self.live.as_ref().ok_or_else(|| Kind::MariadbConnectionLost.into())
    }

    /// Runs `statement` in the open transaction, which is doomed from before it is sent until it succeeds.
    async fn statement<'a, T, F>(
        &'a mut self,
        doing: &'static str,
        statement: impl FnOnce(&'a Dialled, &'a Statements) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if self.transaction != Transaction::Open {
            return Err(BookingError::from(Kind::Doomed).definite());
        }
        self.transaction = Transaction::Doomed;
        let Some((dialled, statements)) = &self.live else {
            return Err(Kind::MariadbConnectionLost.into());
        };
        let value = statement(dialled, statements)
            .await
            .map_err(|error| answer::statement_error(doing, error))?;
        self.transaction = Transaction::Open;
        Ok(value)
    }

    async fn first(
        &mut self,
        doing: &'static str,
        statement: fn(&Statements) -> &Statement,
        values: impl Into<Params>,
    ) -> Result<Option<Row>> {
        let values = values.into();
        let run = async |dialled: &Dialled, statements: &Statements| {
            dialled.first(statement(statements).clone(), values).await
        };
        self.statement(doing, run).await
    }

    async fn execute(
        &mut self,
        doing: &'static str,
        statement: fn(&Statements) -> &Statement,
        values: impl Into<Params>,
    ) -> Result<Done> {
        let values = values.into();
        let run = async |dialled: &Dialled, statements: &Statements| {
            dialled.execute(statement(statements).clone(), values).await
        };
        self.statement(doing, run).await
    }

    async fn count(
        &mut self,
        doing: &'static str,
        statement: fn(&Statements) -> &Statement,
        slot: SlotId,
        span: Span,
    ) -> Result<u32> {
        let values = (i64::from(slot.0), i64::from(span.to), i64::from(span.from));
        let row = self.first(doing, statement, values).await?;
        let (count,) = read(doing, row.ok_or(Kind::NoSlot(slot))?)?;
        narrow(count)
    }

    async fn undo(&mut self) -> Result<()> {
        if self.is_lost() {
            // The transaction, if there was one, ends with its connection.
            self.live = None;
            self.transaction = Transaction::Closed;
        }
        if self.transaction != Transaction::Closed {
            self.transaction = Transaction::Doomed;
            if let Err(error) = self.live()?.0.run("roll back", "ROLLBACK".to_owned()).await {
                self.live = None;
                self.transaction = Transaction::Closed;
                return Err(error);
            }
            self.transaction = Transaction::Closed;
        }
        Ok(())
    }
}

impl Connection for MariadbConnection {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        async move {
            self.undo().await?;
            if self.is_lost() {
                self.live = None;
                self.live = Some(dial::session(&self.address, &self.schema, self.holder).await?);
            }
            let begin = match mode {
                // The session is at READ COMMITTED since it was opened.
                TransactionMode::ReadCommitted | TransactionMode::RowLocking => "START TRANSACTION",
                // For the next transaction alone.
                TransactionMode::Serializable => {
                    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION"
                }
            };
            self.transaction = Transaction::Doomed;
            self.live()?.0.run("begin", begin.to_owned()).await?;
            self.transaction = Transaction::Open;
            Ok(())
        }
        .boxed()
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        async move {
            const DOING: &str = "read the slot";
            let statement: fn(&Statements) -> &Statement = match lock {
                RowLock::None => |statements| &statements.read_slot,
                RowLock::ForUpdate => |statements| &statements.lock_slot,
            };
            let row = self.first(DOING, statement, (i64::from(slot.0),)).await?;
            slot_state(DOING, row.ok_or(Kind::NoSlot(slot))?)
        }
        .boxed()
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        async move {
            const DOING: &str = "lock the slot";
            let key = (i64::from(slot.0),);
            let tried = self.statement(DOING, async |dialled, statements| {
                let statement = match how {
                    TryLock::NoWait => &statements.lock_slot_nowait,
                    TryLock::SkipLocked => &statements.lock_slot_skip,
                };
                match dialled.first(statement.clone(), key).await {
                    Err(error) if answer::is_locked(&error) => Ok(None),
                    answer => answer.map(Some),
                }
            });
            match tried.await? {
                Some(row) => row.map(|row| slot_state(DOING, row)).transpose(),
                None => {
                    self.transaction = Transaction::Doomed;
                    Ok(None)
                }
            }
        }
        .boxed()
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.count("count bookings", |statements| &statements.count_confirmed, slot, span).boxed()
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.count("lock the bookings", |statements| &statements.lock_confirmed, slot, span).boxed()
    }

    fn lock_advisory(&mut self, _slot: SlotId) -> BoxFuture<'_, Result<()>> {
        let what =
            "advisory locks that end with a transaction (those of GET_LOCK are the session's)";
        ready(Err(Kind::Unsupported { engine: "MariaDB", what }.into())).boxed()
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        async move {
            const DOING: &str = "find the booking";
            let key = (i64::from(request.0),);
            let reserved =
                self.execute("reserve the key", |statements| &statements.reserve_key, key);
            if reserved.await?.rows > 0 {
                return Ok(Reserved::New);
            }
            let found = self.first(DOING, |statements| &statements.find_booking, key).await?;
            let found = found.map(|row| read(DOING, row).map(|(id,)| BookingId(id)));
            found.transpose().map(Reserved::Used)
        }
        .boxed()
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        async move {
            let (key, column) = (i64::from(slot.0), token_to(token)?);
            let values = (column, key, column);
            let raised =
                self.execute("raise the fence", |statements| &statements.raise_fence, values);
            if raised.await?.rows > 0 {
                return Ok(Raised::Raised);
            }
            let SlotState { fence, .. } = self.read_slot(slot, RowLock::None).await?;
            Ok(Raised::Refused { fence })
        }
        .boxed()
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        async move {
            let values = (i64::from(slot.0), expected);
            let bumped =
                self.execute("raise the version", |statements| &statements.bump_version, values);
            Ok(if bumped.await?.rows > 0 { Bumped::Bumped } else { Bumped::Stale })
        }
        .boxed()
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        async move {
            let NewBooking { slot, span, unit, holder, attempt, fencing_token } = booking;
            let [slot, from, to, unit, holder, attempt] =
                [slot.0, span.from, span.to, unit, holder.0, attempt.0].map(i64::from);
            let token = fencing_token.map(token_to).transpose()?;
            let values = (slot, from, to, unit, holder, attempt, token);
            let insert = async |dialled: &Dialled, statements: &Statements| match dialled
                .execute(statements.insert.clone(), values)
                .await
            {
                Ok(done) => Ok(Some(done.key)),
                Err(error) if answer::is_collision(&error) => Ok(None),
                Err(error) => Err(error),
            };
            match self.statement("write the booking", insert).await? {
                Some(key) => {
                    let key = key.and_then(|key| i64::try_from(key).ok());
                    Ok(InsertedRow::Row(BookingId(key.ok_or(Kind::NoKey)?)))
                }
                None => {
                    self.transaction = Transaction::Doomed;
                    Ok(InsertedRow::Collision)
                }
            }
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        async move {
            if self.transaction != Transaction::Open {
                return Err(BookingError::from(Kind::Doomed).definite());
            }
            self.transaction = Transaction::Doomed;
            let committed = self.live()?.0.send("COMMIT".to_owned()).await;
            committed.map_err(answer::commit_error)?;
            self.transaction = Transaction::Closed;
            Ok(())
        }
        .boxed()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.undo().boxed()
    }
}

fn slot_state(doing: &'static str, row: Row) -> Result<SlotState> {
    let (capacity, version, fence) = read(doing, row)?;
    Ok(SlotState { capacity: narrow(capacity)?, version, fence: token_from(fence) })
}

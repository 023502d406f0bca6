//! The primitives, and how far their transaction has come: as for `PostgreSQL`, statement by statement.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_database_model::{
    AdvisoryScope, Answer, BookingValues, Isolation, SlotLock, SqlError, Statement,
};
use lockproof_model::{AttemptId, FencingToken, HolderId, SlotId, SlotRow, Span};

use super::{Reply, Wire, WireSession};
use crate::error::Kind;
use crate::{
    BookingError, Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock,
    SlotState, TransactionMode, TryLock,
};

#[derive(Debug)]
pub(super) struct ModelConnection<W: Wire> {
    wire: Arc<W>,
    holder: HolderId,
    /// `None` once it was given up; the next begin dials.
    live: Option<W::Session>,
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

impl<W: Wire> ModelConnection<W> {
    pub(super) async fn open(wire: Arc<W>, holder: HolderId) -> Result<Self> {
        let mut connection = Self { wire, holder, live: None, transaction: Transaction::Closed };
        connection.dial().await?;
        Ok(connection)
    }

    async fn dial(&mut self) -> Result<()> {
        self.live = None;
        let dialled = self.wire.connect(self.holder).await;
        let session =
            dialled.map_err(|source| Kind::NoAnswer { doing: "open a connection", source })?;
        self.live = Some(session);
        Ok(())
    }

    fn is_lost(&self) -> bool {
        self.live.as_ref().is_none_or(WireSession::is_closed)
    }

    /// Sends a statement of the open transaction, which is doomed from before that until it succeeds.
    async fn statement(&mut self, doing: &'static str, statement: Statement) -> Result<Answer> {
        if self.transaction != Transaction::Open {
            return Err(BookingError::from(Kind::Doomed).definite());
        }
        let answer = self.run(doing, statement).await?;
        self.transaction = Transaction::Open;
        Ok(answer)
    }

    /// Sends a statement, after which the transaction is doomed unless somebody knows better.
    async fn run(&mut self, doing: &'static str, statement: Statement) -> Result<Answer> {
        let reply = self.send(statement)?.await;
        let answer = reply.map_err(|source| Kind::NoAnswer { doing, source })?;
        answer.map_err(|source| {
            let error = BookingError::from(Kind::Model { doing, source });
            if is_abort(source) { error.aborted() } else { error }
        })
    }

    fn send(
        &mut self,
        statement: Statement,
    ) -> Result<impl Future<Output = Reply> + Send + use<W>> {
        self.transaction = Transaction::Doomed;
        let session = self.live.as_mut().ok_or(Kind::ModelConnectionLost)?;
        Ok(session.send(statement))
    }

    async fn undo(&mut self) -> Result<()> {
        if self.is_lost() {
            // The transaction, if there was one, ends with its connection.
            self.live = None;
            self.transaction = Transaction::Closed;
        }
        if self.transaction != Transaction::Closed {
            if let Err(error) = self.run("roll back", Statement::Rollback).await {
                self.live = None;
                self.transaction = Transaction::Closed;
                return Err(error);
            }
            self.transaction = Transaction::Closed;
        }
        Ok(())
    }

    async fn changed(&mut self, doing: &'static str, statement: Statement) -> Result<u32> {
        match self.statement(doing, statement).await? {
            Answer::Changed(rows) => Ok(rows),
            other => Err(unexpected(other)),
        }
    }

    async fn slot(&mut self, slot: SlotId, lock: RowLock) -> Result<SlotState> {
        let lock = match lock {
            RowLock::None => SlotLock::None,
            RowLock::ForUpdate => SlotLock::ForUpdate,
        };
        match self.statement("read the slot", Statement::ReadSlot { slot, lock }).await? {
            Answer::Slot(row) => row.map(slot_state).ok_or_else(|| Kind::NoSlot(slot).into()),
            other => Err(unexpected(other)),
        }
    }

    async fn counted(&mut self, doing: &'static str, statement: Statement) -> Result<u32> {
        match self.statement(doing, statement).await? {
            Answer::Count(count) => Ok(count),
            other => Err(unexpected(other)),
        }
    }
}

impl<W: Wire> Connection for ModelConnection<W> {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        async move {
            self.undo().await?;
            if self.is_lost() {
                self.dial().await?;
            }
            let isolation = match mode {
                TransactionMode::ReadCommitted | TransactionMode::RowLocking => {
                    Isolation::ReadCommitted
                }
                TransactionMode::Serializable => Isolation::Serializable,
            };
            self.run("begin", Statement::Begin(isolation)).await?;
            self.transaction = Transaction::Open;
            Ok(())
        }
        .boxed()
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        self.slot(slot, lock).boxed()
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        async move {
            let lock = match how {
                TryLock::NoWait => SlotLock::ForUpdateNoWait,
                TryLock::SkipLocked => SlotLock::ForUpdateSkipLocked,
            };
            match self.statement("lock the slot", Statement::ReadSlot { slot, lock }).await {
                Ok(Answer::Slot(row)) => Ok(row.map(slot_state)),
                Ok(other) => Err(unexpected(other)),
                Err(error) if error.model_error() == Some(SqlError::LockNotAvailable) => Ok(None),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.counted("count bookings", Statement::CountConfirmed { slot, span }).boxed()
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.counted("lock the bookings", Statement::LockConfirmed { slot, span }).boxed()
    }

    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>> {
        async move {
            let (key, scope) = (i64::from(slot.0), AdvisoryScope::Transaction);
            let statement = Statement::AdvisoryLock { key, scope };
            match self.statement("take the advisory lock", statement).await? {
                Answer::Done => Ok(()),
                other => Err(unexpected(other)),
            }
        }
        .boxed()
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        async move {
            let statement = Statement::ReserveKey { request };
            if self.changed("reserve the key", statement).await? > 0 {
                return Ok(Reserved::New);
            }
            let statement = Statement::FindBooking { attempt: request };
            match self.statement("find the booking", statement).await? {
                Answer::Booking(booking) => Ok(Reserved::Used(booking)),
                other => Err(unexpected(other)),
            }
        }
        .boxed()
    }

    fn read_slot_and_count(
        &mut self,
        slot: SlotId,
        span: Span,
    ) -> BoxFuture<'_, Result<(SlotState, u32)>> {
        async move {
            let statement = Statement::ReadSlotAndCount { slot, span };
            match self.statement("read the slot and count bookings", statement).await? {
                Answer::SlotAndCount(Some((row, count))) => Ok((slot_state(row), count)),
                Answer::SlotAndCount(None) => Err(Kind::NoSlot(slot).into()),
                other => Err(unexpected(other)),
            }
        }
        .boxed()
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        async move {
            fits(token)?;
            let statement = Statement::RaiseFence { slot, token };
            if self.changed("raise the fence", statement).await? > 0 {
                return Ok(Raised::Raised);
            }
            let SlotState { fence, .. } = self.slot(slot, RowLock::None).await?;
            Ok(Raised::Refused { fence })
        }
        .boxed()
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        async move {
            let statement = Statement::BumpVersion { slot, expected };
            let bumped = self.changed("raise the version", statement).await?;
            Ok(if bumped > 0 { Bumped::Bumped } else { Bumped::Stale })
        }
        .boxed()
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        async move {
            let NewBooking { slot, span, unit, holder, attempt, fencing_token } = booking;
            fencing_token.map(fits).transpose()?;
            let values = BookingValues { slot, span, unit, holder, attempt, fencing_token };
            match self.statement("write the booking", Statement::Insert(values)).await {
                Ok(Answer::Inserted(id)) => Ok(InsertedRow::Row(id)),
                Ok(other) => Err(unexpected(other)),
                Err(error) => match error.model_error() {
                    Some(SqlError::UniqueViolation | SqlError::ExclusionViolation) => {
                        Ok(InsertedRow::Collision)
                    }
                    _ => Err(error),
                },
            }
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        async move {
            if self.transaction != Transaction::Open {
                return Err(BookingError::from(Kind::Doomed).definite());
            }
            let reply = self.send(Statement::Commit)?.await;
            let answer = reply.map_err(|source| Kind::NoAnswer { doing: "commit", source })?;
            match answer {
                Ok(Answer::Committed) => {}
                Ok(other) => return Err(unexpected(other)),
                Err(source) => return Err(commit_error(source)),
            }
            self.transaction = Transaction::Closed;
            Ok(())
        }
        .boxed()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.undo().boxed()
    }
}

/// What an error of COMMIT means: any that is about the transaction rules the commit out, one that is about the
/// connection says nothing.
fn commit_error(source: SqlError) -> BookingError {
    let error = BookingError::from(Kind::Model { doing: "commit", source });
    match source {
        SqlError::SerializationFailure
        | SqlError::DeadlockDetected
        | SqlError::UniqueViolation
        | SqlError::ExclusionViolation => error.aborted(),
        SqlError::LockNotAvailable | SqlError::InFailedTransaction => error.definite(),
        SqlError::NoConnection => error,
    }
}

/// Whether the database ended the transaction to keep a promise to it or to another one.
const fn is_abort(error: SqlError) -> bool {
    matches!(error, SqlError::SerializationFailure | SqlError::DeadlockDetected)
}

/// The model has no columns, but what it takes and `PostgreSQL` does not would be found out live.
fn fits(token: FencingToken) -> Result<()> {
    let column = i64::try_from(token.0).map_err(|_| Kind::FencingTokenTooLarge(token));
    Ok(column.map(drop)?)
}

const fn slot_state(row: SlotRow) -> SlotState {
    SlotState { capacity: row.capacity, version: row.version, fence: row.fence }
}

fn unexpected(answer: Answer) -> BookingError {
    Kind::Unexpected(answer).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certainty;

    #[test]
    fn an_error_about_the_transaction_rules_its_commit_out() {
        let error = commit_error(SqlError::SerializationFailure);
        assert_eq!(error.certainty(), Certainty::Definite);
        assert_eq!(error.refusal(), Some(lockproof_model::Refusal::Aborted));
    }

    #[test]
    fn a_connection_that_is_closed_at_the_commit_leaves_the_outcome_unknown() {
        let error = commit_error(SqlError::NoConnection);
        assert_eq!(error.certainty(), Certainty::Indefinite);
        assert_eq!(error.refusal(), None);
    }
}

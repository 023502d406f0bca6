//! The primitives, and waiting for the turn to write.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use lockproof_env::Env;
use lockproof_model::{AttemptId, FencingToken, SlotId, Span};
use rusqlite::{ErrorCode, ffi};
use tokio::sync::Semaphore;

use super::statements;
use super::thread::{Thread, Worker};
use crate::error::Kind;
use crate::{
    BookingError, Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock,
    SlotState, TransactionMode, TryLock,
};

/// How long another process is first given to finish its write, and the most that this doubles to.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
const BUSY_PAUSE_MAX: Duration = Duration::from_millis(16);

#[derive(Debug)]
pub(super) struct SqliteConnection {
    thread: Thread,
    env: Env,
    turn: Arc<Semaphore>,
    writing: Writing,
}

/// Whether a write transaction is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    No,
    /// A transaction is, and has read at most: its first write takes the turn.
    Deferred,
    /// Perhaps, and a statement of it has failed or was dropped before its answer: only a rollback may
    /// follow.
    Unsure,
    Yes,
}

impl SqliteConnection {
    pub(super) async fn open(path: PathBuf, env: Env, turn: Arc<Semaphore>) -> Result<Self> {
        let thread = Thread::start(path).await?;
        let mut db = Self { thread, env, turn, writing: Writing::No };
        // Reads the schema, for which it may find the file busy with another connection's closing.
        db.run("set synchronous", statements::sync_normally).await?;
        Ok(db)
    }

    /// Runs `statement`, as a transaction of its own unless one is open, again for as long as another
    /// process keeps the file busy. A busy file refuses a statement before it has done anything, so this
    /// does nothing twice. The open transaction is in doubt until the statement has succeeded.
    pub(super) async fn run<T: Send + 'static>(
        &mut self,
        doing: &'static str,
        statement: impl FnMut(&rusqlite::Connection) -> rusqlite::Result<T> + Send + Clone + 'static,
    ) -> Result<T> {
        let before = self.writing;
        if before != Writing::No {
            self.writing = Writing::Unsure;
        }
        let mut pause = BUSY_PAUSE;
        loop {
            let mut statement = statement.clone();
            match self.thread.run(move |worker| statement(&worker.connection)).await? {
                Ok(value) => {
                    self.writing = before;
                    return Ok(value);
                }
                Err(error) if is_stale(&error) => {
                    return Err(BookingError::sqlite(doing, error).aborted());
                }
                Err(error) if is_busy(&error) => {
                    self.env.sleep(pause).await;
                    pause = BUSY_PAUSE_MAX.min(pause * 2);
                }
                Err(error) => return Err(BookingError::sqlite(doing, error)),
            }
        }
    }

    /// Runs `statement` and commits it, as the rig does outside of any booking.
    pub(super) async fn write<T: Send + 'static>(
        &mut self,
        doing: &'static str,
        statement: impl FnMut(&rusqlite::Connection) -> rusqlite::Result<T> + Send + Clone + 'static,
    ) -> Result<T> {
        self.ensure_writing().await?;
        let value = self.run(doing, statement).await?;
        self.end_writing().await?;
        Ok(value)
    }

    /// Begins the write transaction unless it is open: waits for the turn, then for other processes. One that has
    /// been reading takes the turn for the write that comes next.
    pub(super) async fn ensure_writing(&mut self) -> Result<()> {
        let before = self.writing;
        match before {
            Writing::Yes => return Ok(()),
            Writing::Unsure => return Err(BookingError::from(Kind::Doomed).definite()),
            Writing::No | Writing::Deferred => self.writing = Writing::Unsure,
        }
        let turn = Arc::clone(&self.turn);
        let turn = turn.acquire_owned().await.expect("the store never closes its queue");
        self.thread.run(move |worker| worker.keep_turn(turn)).await?;
        if before == Writing::No {
            self.run("begin", |connection| connection.execute_batch("BEGIN IMMEDIATE")).await?;
        }
        self.writing = Writing::Yes;
        Ok(())
    }

    async fn end_writing(&mut self) -> Result<()> {
        match self.writing {
            // A transaction that wrote nothing has committed with its last read.
            Writing::No => return Ok(()),
            Writing::Unsure => return Err(BookingError::from(Kind::Doomed).definite()),
            Writing::Yes | Writing::Deferred => self.writing = Writing::Unsure,
        }
        let committed = self.thread.run(Worker::commit).await?;
        // Whatever the answer, the thread has left no transaction open.
        self.writing = Writing::No;
        committed.map_err(commit_error)
    }

    pub(super) async fn undo(&mut self) -> Result<()> {
        if self.writing != Writing::No {
            self.writing = Writing::Unsure;
            let undone = self.thread.run(Worker::rollback).await?;
            undone.map_err(|error| BookingError::sqlite("roll back", error))?;
            self.writing = Writing::No;
        }
        Ok(())
    }
}

impl Connection for SqliteConnection {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        async move {
            self.undo().await?;
            match mode {
                TransactionMode::ReadCommitted => Ok(()),
                TransactionMode::RowLocking => self.ensure_writing().await,
                TransactionMode::Serializable => {
                    self.run("begin", |db| db.execute_batch("BEGIN DEFERRED")).await?;
                    self.writing = Writing::Deferred;
                    Ok(())
                }
            }
        }
        .boxed()
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        async move {
            if lock == RowLock::ForUpdate {
                self.ensure_writing().await?;
            }
            let state =
                self.run("read the slot", move |db| statements::read_slot(db, slot)).await?;
            state.ok_or_else(|| Kind::NoSlot(slot).into())
        }
        .boxed()
    }

    fn try_lock_slot(
        &mut self,
        _slot: SlotId,
        _how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        ready(Err(Kind::Unsupported { engine: "SQLite", what: "row locks" }.into())).boxed()
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.run("count bookings", move |db| statements::count_confirmed(db, slot, span)).boxed()
    }

    fn lock_confirmed(&mut self, _slot: SlotId, _span: Span) -> BoxFuture<'_, Result<u32>> {
        ready(Err(Kind::Unsupported { engine: "SQLite", what: "row locks" }.into())).boxed()
    }

    fn lock_advisory(&mut self, _slot: SlotId) -> BoxFuture<'_, Result<()>> {
        ready(Err(Kind::Unsupported { engine: "SQLite", what: "advisory locks" }.into())).boxed()
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        async move {
            self.ensure_writing().await?;
            self.run("reserve the key", move |db| statements::reserve_key(db, request)).await
        }
        .boxed()
    }

    fn read_slot_and_count(
        &mut self,
        slot: SlotId,
        span: Span,
    ) -> BoxFuture<'_, Result<(SlotState, u32)>> {
        async move {
            let read =
                move |db: &rusqlite::Connection| statements::read_slot_and_count(db, slot, span);
            let read = self.run("read the slot and count bookings", read).await?;
            read.ok_or_else(|| Kind::NoSlot(slot).into())
        }
        .boxed()
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        async move {
            let column = i64::try_from(token.0).map_err(|_| Kind::FencingTokenTooLarge(token))?;
            self.ensure_writing().await?;
            let raise = move |db: &rusqlite::Connection| statements::raise_fence(db, slot, column);
            let raised = self.run("raise the fence", raise).await?;
            raised.ok_or_else(|| Kind::NoSlot(slot).into())
        }
        .boxed()
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        async move {
            self.ensure_writing().await?;
            let bump =
                move |db: &rusqlite::Connection| statements::bump_version(db, slot, expected);
            self.run("raise the version", bump).await
        }
        .boxed()
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        async move {
            let token = booking.fencing_token;
            let token = token
                .map(|token| i64::try_from(token.0).map_err(|_| Kind::FencingTokenTooLarge(token)))
                .transpose()?;
            self.ensure_writing().await?;
            let insert = move |db: &rusqlite::Connection| statements::insert(db, booking, token);
            let inserted = self.run("write the booking", insert).await?;
            if inserted == InsertedRow::Collision {
                self.writing = Writing::Unsure;
            }
            Ok(inserted)
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.end_writing().boxed()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.undo().boxed()
    }
}

/// Whether a transaction that has read may not write any more, since another one has committed: waiting would not help.
fn is_stale(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(ffi::SQLITE_BUSY_SNAPSHOT)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A busy file or a violated constraint refuses a commit before it has done anything; after any other
/// failure (a full disk, a failed sync) nobody knows what a recovery will find in the log.
fn commit_error(error: rusqlite::Error) -> BookingError {
    let refused =
        is_busy(&error) || error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    let error = BookingError::sqlite("commit", error);
    if refused { error.definite() } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certainty;

    fn failure(code: std::ffi::c_int) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_commit_refused_by_a_busy_file_is_definite() {
        assert_eq!(commit_error(failure(ffi::SQLITE_BUSY)).certainty(), Certainty::Definite);
    }

    #[test]
    fn a_commit_that_failed_to_sync_is_indefinite() {
        assert_eq!(commit_error(failure(ffi::SQLITE_IOERR)).certainty(), Certainty::Indefinite);
        assert_eq!(commit_error(failure(ffi::SQLITE_FULL)).certainty(), Certainty::Indefinite);
    }
}

//! A bounded number of connections, each used by one request at a time.
//!
//! A connection goes back when its transaction has ended in good order. One that was left in the middle, by an error or a
//! dropped future, is closed instead: that ends whatever it still has open.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{
    Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock, SlotState,
    SqlConnection, SqlRow, SqlStore, SqlValue, TransactionMode, TryLock,
};
use lockproof_model::{AttemptId, FencingToken, HolderId, SlotId, Span};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who has a pool's connections, for stores that ask.
const POOL: HolderId = HolderId(1);

pub(crate) struct Pool {
    store: Arc<dyn SqlStore>,
    turns: Arc<Semaphore>,
    idle: Arc<Idle>,
}

type Idle = Mutex<Vec<Box<dyn SqlConnection>>>;

/// A connection of the pool, for as long as it is kept.
pub(crate) struct Pooled {
    /// None once it is to be closed.
    db: Option<Box<dyn SqlConnection>>,
    /// Whether a transaction may be open.
    open: bool,
    idle: Arc<Idle>,
    _turn: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(store: Arc<dyn SqlStore>, size: usize) -> Self {
        Self { store, turns: Arc::new(Semaphore::new(size)), idle: Arc::default() }
    }

    pub(crate) fn engine(&self) -> &'static str {
        self.store.engine()
    }

    /// Waits for a connection that nobody uses.
    pub(crate) async fn take(&self) -> Result<Pooled> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.expect("the pool never closes its queue");
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match kept {
            Some(db) => db,
            None => self.store.open_sql(POOL).await?,
        };
        Ok(Pooled { db: Some(db), open: false, idle: Arc::clone(&self.idle), _turn: turn })
    }
}

impl Pooled {
    /// In doubt until the answer is good.
    fn ends<'a>(
        &'a mut self,
        end: impl for<'c> FnOnce(&'c mut dyn SqlConnection) -> BoxFuture<'c, Result<()>> + Send + 'a,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            self.open = true;
            end(self.db()).await?;
            self.open = false;
            Ok(())
        }
        .boxed()
    }

    fn db(&mut self) -> &mut dyn SqlConnection {
        &mut **self.db.as_mut().expect("only a drop takes it")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(db) = self.db.take()
            && !self.open
        {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        }
    }
}

impl SqlConnection for Pooled {
    fn query<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<Vec<SqlRow>>> {
        self.db().query(statement, values)
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<u64>> {
        self.db().execute(statement, values)
    }

    fn batch(&mut self, statements: String) -> BoxFuture<'_, Result<()>> {
        self.db().batch(statements)
    }
}

impl Connection for Pooled {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.open = true;
        self.db().begin(mode)
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        self.db().read_slot(slot, lock)
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        self.db().try_lock_slot(slot, how)
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.db().count_confirmed(slot, span)
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.db().lock_confirmed(slot, span)
    }

    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>> {
        self.db().lock_advisory(slot)
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        self.db().reserve_key(request)
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        self.db().raise_fence(slot, token)
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        self.db().bump_version(slot, expected)
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        self.db().insert(booking)
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.ends(|db| db.commit())
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.ends(|db| db.rollback())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").field("open", &self.open).finish_non_exhaustive()
    }
}

//! What an engine provides: tables for the run, a judge for its end, and connections in between.

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{
    AttemptId, BookingId, BookingTable, DriverSetting, FencingToken, HolderId, SlotId, Span,
};

use crate::{LockConnection, Result};

/// A database that holds slots and bookings.
///
/// Dropping any of these futures leaves what was already sent to take its course: a table may have been
/// made or dropped all the same.
pub trait BookingStore: Debug + Send + Sync {
    /// The engine in one word: `sqlite`, `postgres`, `mariadb`, `model`.
    fn engine(&self) -> &'static str;

    /// The engine's version, as it says itself.
    fn version(&self) -> BoxFuture<'_, Result<String>>;

    /// The driver's settings that can change an outcome or a latency, for the report.
    fn driver_settings(&self) -> Vec<DriverSetting>;

    /// Makes the tables and fills the slots, numbered from 1.
    fn create(&self, layout: Layout) -> BoxFuture<'_, Result<()>>;

    /// Opens a connection that `holder` shares with nobody: a pool smaller than the number of holders
    /// would starve all of them behind one that is paused.
    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn Connection>>>;

    /// Opens a session of `holder` for locks in this database.
    fn open_locks(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LockConnection>>>;

    /// Who has the lock called `name`, asked past every link: the owner value of a lease, or the session whose it is.
    fn lock_owner<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>>;

    /// Ends that lock, whoever has it, past every link: a lease as if its TTL had ended, a session's lock with its
    /// session. Whether there was one.
    fn end_lock<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Both tables as one consistent state, read by a connection of its own that no fault reaches.
    fn table(&self) -> BoxFuture<'_, Result<BookingTable>>;

    /// Takes the tables away at the run's end.
    fn drop_tables(&self) -> BoxFuture<'_, Result<()>>;
}

/// One holder's own connection, as the primitives that guards are written in.
///
/// `&mut self` throughout: one operation in flight. Its errors are indefinite unless the engine claims
/// otherwise; [`BookingSession`](crate::BookingSession) claims more, since it knows whether COMMIT was
/// sent.
///
/// # Cancel safety
/// The same for every method: a statement whose future is dropped is still executed by the database, in
/// order, before anything that is sent after it. The transaction stays open until [`rollback`], the next
/// [`begin`] (which rolls back what it finds), or the connection's drop, and can no longer be committed. On a
/// server the rollback waits behind the dropped statement, and so for the lock that this one waits for. A
/// dropped [`commit`] may or may not have happened.
///
/// [`begin`]: Connection::begin
/// [`commit`]: Connection::commit
/// [`rollback`]: Connection::rollback
pub trait Connection: Debug + Send {
    /// Opens a transaction; dials again first when the connection was lost.
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>>;

    /// Reads the slot's row, and with [`RowLock::ForUpdate`] keeps it from other writers until the
    /// transaction ends.
    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>>;

    /// Reads the slot's row and locks it, or says at once that somebody else has it locked: `None`. After that answer
    /// to [`TryLock::NoWait`] only a rollback may follow.
    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>>;

    /// Counts the slot's confirmed bookings that overlap `span`.
    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>>;

    /// The same, by `SELECT … FOR UPDATE` of the bookings: waits for whoever has one of them, and keeps those that
    /// there are until the transaction ends. Those that there are not yet it cannot keep.
    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>>;

    /// Takes the slot's advisory lock until the transaction ends, waiting for it. Its key is of 64 bits, made of the
    /// slot and of where this store's tables are, so that stores on one server do not wait for each other.
    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>>;

    /// Writes the key of a request, for as long as the transaction may be undone. Waits for another transaction that
    /// has written the same key.
    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>>;

    /// Reads the slot's row without locking it, and counts its confirmed bookings that overlap `span`: in one statement
    /// where the engine can.
    ///
    /// The count may be newer than the row, and never older. At READ COMMITTED each statement sees a state of its own: a
    /// booking that commits between the two is then counted with the version *before* it, so that a guard that compares
    /// versions refuses. Counted first, it would be missed and its version trusted, and the slot sold twice.
    fn read_slot_and_count(
        &mut self,
        slot: SlotId,
        span: Span,
    ) -> BoxFuture<'_, Result<(SlotState, u32)>> {
        async move {
            let state = self.read_slot(slot, RowLock::None).await?;
            Ok((state, self.count_confirmed(slot, span).await?))
        }
        .boxed()
    }

    /// Sets the slot's fence to `token` unless it is higher, in one statement.
    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>>;

    /// Raises the slot's version by one if it is still `expected`, in one statement.
    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>>;

    /// Writes a confirmed booking. After [`InsertedRow::Collision`] only a rollback may follow.
    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>>;

    /// Commits. An error is definite only where the engine can rule the commit out.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Undoes the open transaction; no effect when there is none. When this fails the connection is
    /// given up, which ends the transaction as well.
    fn rollback(&mut self) -> BoxFuture<'_, Result<()>>;
}

/// What [`BookingStore::create`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many slots.
    pub slots: u32,
    /// How often each may be sold.
    pub capacity: u32,
    /// What the guard wants the database to enforce.
    pub constraints: Constraints,
}

/// Constraints that a guard relies on. Made for that guard only, so that no other one is saved by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Unique (slot, span, unit) among confirmed bookings.
    pub unique_unit: bool,
    /// No two confirmed bookings of a slot overlap.
    pub exclude_overlap: bool,
}

impl Constraints {
    /// Nothing is enforced.
    pub const NONE: Self = Self { unique_unit: false, exclude_overlap: false };
    /// Unique (slot, span, unit) among confirmed bookings.
    pub const UNIQUE_UNIT: Self = Self { unique_unit: true, ..Self::NONE };
    /// No two confirmed bookings of a slot overlap.
    pub const EXCLUDE_OVERLAP: Self = Self { exclude_overlap: true, ..Self::NONE };
}

/// How a transaction is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionMode {
    /// READ COMMITTED: each statement sees what was committed when it began. `SQLite` has no such level
    /// and emulates it: each read stands alone, and the transaction begins at the first write.
    ReadCommitted,
    /// READ COMMITTED for a guard that locks the rows that it reads. On `SQLite`, which locks the whole
    /// database or nothing, this is `BEGIN IMMEDIATE`, and `begin` waits for its turn.
    RowLocking,
    /// SERIALIZABLE: the outcome is that of some serial order, or the transaction is aborted. On `SQLite` a
    /// deferred transaction, which reads one snapshot and may not write once that is old.
    Serializable,
}

/// Whether a read takes the row's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLock {
    /// A plain read.
    None,
    /// `SELECT … FOR UPDATE`.
    ForUpdate,
}

/// How a row's lock is asked for without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryLock {
    /// `FOR UPDATE NOWAIT`: an error, by which the transaction is over.
    NoWait,
    /// `FOR UPDATE SKIP LOCKED`: no row, and the transaction goes on.
    SkipLocked,
}

/// A slot's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotState {
    /// How often it may be sold.
    pub capacity: u32,
    /// Raised by each booking under the `version` guard.
    pub version: i64,
    /// The largest fencing token that has been presented.
    pub fence: FencingToken,
}

/// What came of raising a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// The fence equals the token now.
    Raised,
    /// It was higher already and is left alone.
    Refused {
        /// Where it stands.
        fence: FencingToken,
    },
}

/// What came of raising a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bumped {
    /// One row was changed.
    Bumped,
    /// None was: the version has moved.
    Stale,
}

/// What came of reserving a request's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Nobody has used it.
    New,
    /// A transaction that has used it is committed; with the booking that it wrote, where one stands.
    Used(Option<BookingId>),
}

/// A booking to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewBooking {
    /// What is sold.
    pub slot: SlotId,
    /// Which part of it.
    pub span: Span,
    /// Its place within the capacity, counted from 1.
    pub unit: u32,
    /// Who writes it.
    pub holder: HolderId,
    /// For which attempt; how the table and the history find each other.
    pub attempt: AttemptId,
    /// The token it is written under, where the strategy has one.
    pub fencing_token: Option<FencingToken>,
}

/// What came of writing a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertedRow {
    /// The row is written, not yet committed.
    Row(BookingId),
    /// A constraint refuses it: the unit, or an overlapping span, is sold already.
    Collision,
}

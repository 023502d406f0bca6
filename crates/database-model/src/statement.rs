//! What may be asked.

use lockproof_model::{
    AttemptId, BookingId, FencingToken, HolderId, Instant, LeaseChange, SlotId, Span,
};

/// One statement of a session. Outside a transaction each is a transaction of its own, at READ COMMITTED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `BEGIN ISOLATION LEVEL …`. Inside a transaction it changes nothing.
    Begin(Isolation),
    /// `SELECT capacity, version, fence FROM slots WHERE slot = …`, with the locking clause that `lock` names.
    ReadSlot {
        /// Which slot.
        slot: SlotId,
        /// Its locking clause.
        lock: SlotLock,
    },
    /// `SELECT count(*) FROM bookings WHERE slot = … AND state = 'confirmed' AND span_from < to AND span_to > from`.
    CountConfirmed {
        /// Which slot.
        slot: SlotId,
        /// Which part of it.
        span: Span,
    },
    /// `SELECT id FROM bookings WHERE …` the same `FOR UPDATE`, whose rows are counted.
    LockConfirmed {
        /// Which slot.
        slot: SlotId,
        /// Which part of it.
        span: Span,
    },
    /// `SELECT id FROM bookings WHERE attempt = … AND state = 'confirmed'`.
    FindBooking {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// `INSERT INTO request_keys (request) VALUES (…) ON CONFLICT DO NOTHING`.
    ReserveKey {
        /// Which request.
        request: AttemptId,
    },
    /// `SELECT capacity, version, fence, (SELECT count(*) …) FROM slots WHERE slot = …`, the count that of
    /// `CountConfirmed`: both as of one moment.
    ReadSlotAndCount {
        /// Which slot.
        slot: SlotId,
        /// Of which part of it bookings are counted.
        span: Span,
    },
    /// `UPDATE slots SET fence = token WHERE slot = … AND fence <= token`.
    RaiseFence {
        /// Which slot.
        slot: SlotId,
        /// Where its fence should stand.
        token: FencingToken,
    },
    /// `UPDATE slots SET version = version + 1 WHERE slot = … AND version = expected`.
    BumpVersion {
        /// Which slot.
        slot: SlotId,
        /// The version that was read.
        expected: i64,
    },
    /// `UPDATE slots SET version = … WHERE slot = …`: a blind write, by which updates are lost.
    SetVersion {
        /// Which slot.
        slot: SlotId,
        /// What to write.
        version: i64,
    },
    /// `UPDATE slots SET version = version + by WHERE slot = …`: a write that reads for itself.
    AddVersion {
        /// Which slot.
        slot: SlotId,
        /// What to add.
        by: i64,
    },
    /// `INSERT INTO bookings … VALUES …`, confirmed.
    Insert(BookingValues),
    /// `DELETE FROM bookings WHERE id = …`.
    Delete {
        /// Which row.
        booking: BookingId,
    },
    /// `SELECT pg_advisory_lock(key)` or `pg_advisory_xact_lock(key)`: waits for its turn.
    AdvisoryLock {
        /// What is locked.
        key: i64,
        /// Until when.
        scope: AdvisoryScope,
    },
    /// `SELECT pg_try_advisory_lock(key)` or `pg_try_advisory_xact_lock(key)`: never waits.
    TryAdvisoryLock {
        /// What is locked.
        key: i64,
        /// Until when.
        scope: AdvisoryScope,
    },
    /// `SELECT pg_advisory_unlock(key)`: takes one lock of session scope back.
    AdvisoryUnlock {
        /// What is unlocked.
        key: i64,
    },
    /// `SELECT pg_advisory_unlock_all()`: takes all of session scope back.
    AdvisoryUnlockAll,
    /// `INSERT INTO leases … ON CONFLICT … WHERE …` or `UPDATE leases … WHERE …`, `RETURNING token`.
    Lease(LeaseStatement),
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
}

/// How much of its neighbours a transaction sees: the documentation's chapter 13.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Each statement sees what was committed when it began.
    ReadCommitted,
    /// All statements see what was committed when the first of them began; a row that was changed since is not changed
    /// again (40001).
    RepeatableRead,
    /// As `RepeatableRead`, and no outcome that no serial order explains (40001).
    Serializable,
}

/// The locking clause of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotLock {
    /// A plain read.
    None,
    /// `FOR UPDATE`.
    ForUpdate,
    /// `FOR UPDATE NOWAIT`: 55P03 instead of waiting.
    ForUpdateNoWait,
    /// `FOR UPDATE SKIP LOCKED`: no row instead of waiting.
    ForUpdateSkipLocked,
    /// `FOR SHARE`.
    ForShare,
}

/// How long an advisory lock is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvisoryScope {
    /// Until it is unlocked as often as it was locked, or the session ends; a rollback does not touch it.
    Session,
    /// Until the transaction ends.
    Transaction,
}

/// A change of a lease, sent outside any transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseStatement {
    /// A hash of the lock's name.
    pub lock: u64,
    /// A hash of the claim's owner value.
    pub owner: u64,
    /// What is asked.
    pub change: LeaseChange,
    /// The time that decides whether it has ended, where that is not the database's.
    pub now: Option<Instant>,
}

/// A row to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingValues {
    /// What is sold.
    pub slot: SlotId,
    /// Which part of it.
    pub span: Span,
    /// Its place within the capacity.
    pub unit: u32,
    /// Who writes it.
    pub holder: HolderId,
    /// For which attempt.
    pub attempt: AttemptId,
    /// The token it is written under, where the strategy has one.
    pub fencing_token: Option<FencingToken>,
}

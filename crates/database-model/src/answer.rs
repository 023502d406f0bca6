//! What may be answered.

use std::fmt;

use lockproof_model::{BookingId, SlotRow};

/// What came of a statement at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executed {
    /// It is over.
    Done(Result<Answer, SqlError>),
    /// It waits for another session, or behind an earlier statement of its own. What comes of it will be among
    /// [`Database::take_woken`](crate::Database::take_woken).
    Blocked,
}

/// What a statement that succeeded says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing more.
    Done,
    /// The transaction is committed.
    Committed,
    /// The transaction is undone: asked for, or all that a COMMIT could do after a statement had failed.
    RolledBack,
    /// The slot's row; `None` where there is none, or it was skipped.
    Slot(Option<SlotRow>),
    /// So many rows were counted, or locked.
    Count(u32),
    /// The slot's row and so many rows counted; `None` where there is no such slot.
    SlotAndCount(Option<(SlotRow, u32)>),
    /// The booking's key, where there is one.
    Booking(Option<BookingId>),
    /// So many rows were changed.
    Changed(u32),
    /// The row is written under this key.
    Inserted(BookingId),
    /// Whether the advisory lock was taken, or given back.
    Advisory(bool),
    /// The token of the lease that was changed; `None` where none was.
    Lease(Option<u64>),
}

/// A statement failed. The open transaction is undone, its locks are free, and it takes only COMMIT and ROLLBACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// 40001: the isolation level's promise could not be kept otherwise.
    SerializationFailure,
    /// 40P01: waiting would have closed a circle.
    DeadlockDetected,
    /// 23505: the unit is sold already.
    UniqueViolation,
    /// 23P01: an overlapping span is sold already.
    ExclusionViolation,
    /// 55P03: the row is locked, and NOWAIT was said.
    LockNotAvailable,
    /// 25P02: an earlier statement of this transaction failed.
    InFailedTransaction,
    /// 08003: the session has ended.
    NoConnection,
}

impl SqlError {
    /// Its five characters.
    #[must_use]
    pub const fn sqlstate(self) -> &'static str {
        match self {
            Self::SerializationFailure => "40001",
            Self::DeadlockDetected => "40P01",
            Self::UniqueViolation => "23505",
            Self::ExclusionViolation => "23P01",
            Self::LockNotAvailable => "55P03",
            Self::InFailedTransaction => "25P02",
            Self::NoConnection => "08003",
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SerializationFailure => "could not serialize access",
            Self::DeadlockDetected => "deadlock detected",
            Self::UniqueViolation => "duplicate key value violates unique constraint",
            Self::ExclusionViolation => "conflicting key value violates exclusion constraint",
            Self::LockNotAvailable => "could not obtain lock on row",
            Self::InFailedTransaction => "current transaction is aborted until it is rolled back",
            Self::NoConnection => "connection does not exist",
        })?;
        write!(f, " ({})", self.sqlstate())
    }
}

impl std::error::Error for SqlError {}

//! What is played on both, and what is written down of it.

use lockproof_database_model::{Answer, SqlError, Statement};
use lockproof_model::BookingTable;

pub(crate) const SLOTS: u32 = 2;
pub(crate) const CAPACITY: u32 = 2;
pub(crate) const SESSIONS: usize = 4;

/// What came of a statement; `None` while it waits.
pub(crate) type Outcome = Option<Result<Answer, &'static str>>;

/// A statement, what came of it, and what it let go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) session: usize,
    pub(crate) statement: Statement,
    pub(crate) outcome: Outcome,
    /// By session.
    pub(crate) woken: Vec<(usize, Outcome)>,
}

/// What the table of bookings enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enforced {
    Nothing,
    UniqueUnit,
    NoOverlap,
}

impl Enforced {
    pub(crate) const ALL: [Self; 3] = [Self::Nothing, Self::UniqueUnit, Self::NoOverlap];
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) enforced: Enforced,
    pub(crate) lines: Vec<Line>,
    pub(crate) table: BookingTable,
}

/// What can be told from outside: a COMMIT that could only roll back says so nowhere but in its tag, which the client
/// library keeps to itself.
pub(crate) fn told(result: Result<Answer, SqlError>) -> Outcome {
    Some(match result {
        Ok(Answer::Committed | Answer::RolledBack) => Ok(Answer::Done),
        Ok(answer) => Ok(answer),
        Err(error) => Err(error.sqlstate()),
    })
}

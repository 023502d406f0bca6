//! Why a file is no history, and where.

use std::io;

/// What a reader did not understand, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct ReadError {
    /// Counted from 1.
    pub line: u32,
    /// In bytes, counted from 1.
    pub column: u32,
    /// What was found and what was expected.
    pub what: String,
}

impl ReadError {
    pub(crate) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { line: place.line, column: place.column, what: what.into() }
    }

    pub(crate) fn reading(place: Place, error: &io::Error) -> Self {
        Self::new(place, format!("cannot read on: {error}"))
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

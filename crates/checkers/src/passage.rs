//! The operations of one attempt.

use lockproof_model::{AttemptId, History, Instant, Operation, Step};

/// All operations of a history, attempt by attempt.
#[derive(Debug)]
pub(crate) struct Passages<'a> {
    by_attempt: Vec<&'a Operation>,
}

impl<'a> Passages<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        let mut by_attempt: Vec<_> = history.operations.iter().collect();
        // Stable: within an attempt the order of invocation stays.
        by_attempt.sort_by_key(|operation| operation.attempt);
        Self { by_attempt }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Passage<'_>> {
        let attempts = self.by_attempt.chunk_by(|a, b| a.attempt == b.attempt);
        attempts.map(|operations| Passage { operations })
    }

    /// The operations of `attempt`; empty when the history knows none.
    pub(crate) fn of(&self, attempt: AttemptId) -> Passage<'_> {
        let start = self.by_attempt.partition_point(|operation| operation.attempt < attempt);
        let rest = &self.by_attempt[start..];
        let length = rest.partition_point(|operation| operation.attempt == attempt);
        Passage { operations: &rest[..length] }
    }
}

/// What one holder did for one attempt, in the order of invocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage<'a> {
    pub(crate) operations: &'a [&'a Operation],
}

impl<'a> Passage<'a> {
    /// The last operation of that step: a step may be repeated, and the last one counts.
    pub(crate) fn last(&self, step: Step) -> Option<&'a Operation> {
        self.operations.iter().rev().find(|operation| operation.step == step).copied()
    }
}

/// When an operation ends: an unknown one at its invocation, which is all that is certain of it.
pub(crate) fn end_of(operation: &Operation) -> Instant {
    operation.completed.unwrap_or(operation.invoked)
}

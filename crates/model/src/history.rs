//! All operations of a run on one monotonic clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use serde::{Deserialize, Serialize};

use crate::{AttemptId, BookingId, HolderId, Instant, Operation, OperationId, Refusal, SlotId};

/// What every holder did, in the order of invocation, and what each attempt came to.
///
/// Intervals are closed: two operations that touch at one instant overlap. Only `workload` writes a
/// history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Operations by invocation; `operations[i].id == OperationId(i)`.
    pub operations: Vec<Operation>,
    /// Attempts by number.
    pub attempts: Vec<Attempt>,
}

impl History {
    /// Puts operations and attempts in order and numbers the operations.
    #[must_use]
    pub fn assemble(operations: Vec<Operation>, attempts: Vec<Attempt>) -> Self {
        Self::merge(vec![operations], attempts)
    }

    /// The same of several lists of operations, such as each holder's own.
    ///
    /// Ties are broken by holder, and a holder has one operation in flight, so the order does not depend on that of the
    /// lists; what one list holds of one holder and one instant stays as it is.
    #[must_use]
    pub fn merge(mut lists: Vec<Vec<Operation>>, mut attempts: Vec<Attempt>) -> Self {
        let mut operations = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in &mut lists {
            if !list.is_sorted_by_key(order) {
                list.sort_by_key(order);
            }
        }
        let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
        // The first of all is the first of a list: each operation, which is large, is moved once.
        let first = |(list, rest): (u32, &std::vec::IntoIter<Operation>)| {
            rest.as_slice().first().map(|first| Reverse(order(first) | u128::from(list)))
        };
        let mut next: BinaryHeap<Reverse<u128>> = (0..).zip(&lists).filter_map(first).collect();
        while let Some(mut least) = next.peek_mut() {
            let list = u32::try_from(least.0 & u128::from(u32::MAX)).unwrap_or_default();
            let rest = &mut lists[list as usize];
            if let Some(mut operation) = rest.next() {
                operation.id = OperationId(u32::try_from(operations.len()).unwrap_or(u32::MAX));
                operations.push(operation);
            }
            match first((list, rest)) {
                Some(key) => *least = key,
                None => drop(PeekMut::pop(least)),
            }
        }
        if !attempts.is_sorted_by_key(|attempt| attempt.id) {
            attempts.sort_by_key(|attempt| attempt.id);
        }
        Self { operations, attempts }
    }

    /// The operation of that number.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.get(usize::try_from(id.0).ok()?)
    }

    /// The attempt of that number.
    #[must_use]
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        let index = self.attempts.binary_search_by_key(&id, |attempt| attempt.id).ok()?;
        self.attempts.get(index)
    }
}

/// By invocation, then by holder: one number, whose last 32 bits are free.
fn order(operation: &Operation) -> u128 {
    u128::from(operation.invoked.as_nanos()) << 64 | u128::from(operation.holder.0) << 32
}

/// One customer's try, from the moment it was meant to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Its number.
    pub id: AttemptId,
    /// Who worked on it.
    pub holder: HolderId,
    /// What it wanted.
    pub slot: SlotId,
    /// When it was meant to start: response time counts from here.
    #[serde(rename = "intended_ns")]
    pub intended: Instant,
    /// When it did start: service time counts from here.
    #[serde(rename = "started_ns")]
    pub started: Instant,
    /// When the holder knew what came of it.
    #[serde(rename = "finished_ns")]
    pub finished: Instant,
    /// What came of it, as its holder believes.
    pub result: AttemptResult,
}

/// What the customer was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type", deny_unknown_fields)]
pub enum AttemptResult {
    /// The commit was acknowledged.
    Booked {
        /// The row that stands for it.
        booking: BookingId,
    },
    /// A clear no.
    Refused {
        /// Who said it.
        by: RefusedBy,
        /// Why.
        refusal: Refusal,
    },
    /// It certainly did not happen, because of an error.
    Failed {
        /// The error in its own words.
        error: String,
    },
    /// Nobody knows whether it happened.
    Unknown {
        /// The error in its own words.
        error: String,
    },
}

/// What an attempt says whose holder died.
const DIED: &str = "its holder died";

impl AttemptResult {
    /// Of an attempt whose holder died before its answer.
    #[must_use]
    pub fn death() -> Self {
        Self::Unknown { error: DIED.to_owned() }
    }

    /// Whether it is unknown because its holder died, and nobody was left to clean up.
    #[must_use]
    pub fn is_death(&self) -> bool {
        matches!(self, Self::Unknown { error } if error == DIED)
    }
}

/// Which part of the strategy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedBy {
    /// The lock was held for as long as the holder was willing to wait, or its lease had ended.
    Lock,
    /// The check found the slot sold out.
    Check,
    /// The guard refused the write.
    Guard,
}

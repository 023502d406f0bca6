//! The operations of one attempt.

use lockproof_model::{AttemptId, History, Instant, Operation, SlotId, Step};

/// All operations of a history, attempt by attempt.
#[derive(Debug)]
pub(crate) struct Passages<'a> {
    by_attempt: Vec<&'a Operation>,
    /// Where the operations of each attempt end, by its number; empty where attempts are not numbered without gaps.
    ends: Vec<u32>,
}

impl<'a> Passages<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        counted(history).unwrap_or_else(|| sorted(history))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Passage<'_>> {
        let attempts = self.by_attempt.chunk_by(|a, b| a.attempt == b.attempt);
        attempts.map(|operations| Passage { operations })
    }

    /// The operations of `attempt`; empty when the history knows none.
    pub(crate) fn of(&self, attempt: AttemptId) -> Passage<'_> {
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(&end) = self.ends.get(place(attempt.0)) {
            let before = attempt.0.checked_sub(1).map_or(0, |before| self.ends[place(before)]);
            return Passage { operations: &self.by_attempt[place(before)..place(end)] };
        }
        let start = self.by_attempt.partition_point(|operation| operation.attempt < attempt);
        let rest = &self.by_attempt[start..];
        let length = rest.partition_point(|operation| operation.attempt == attempt);
        Passage { operations: &rest[..length] }
    }
}

/// By counting, since attempts are numbered without gaps; not where a stored history's are not.
fn counted(history: &History) -> Option<Passages<'_>> {
    let number = |operation: &Operation| usize::try_from(operation.attempt.0).ok();
    let last = history.operations.iter().map(number).max()??;
    if last > history.operations.len() || u32::try_from(history.operations.len()).is_err() {
        return None;
    }
    let mut places = vec![0_u32; last + 1];
    for operation in &history.operations {
        places[number(operation)?] += 1;
    }
    let mut before = 0;
    for place in &mut places {
        before += std::mem::replace(place, before);
    }
    let mut by_attempt = vec![history.operations.first()?; history.operations.len()];
    for operation in &history.operations {
        let place = &mut places[number(operation)?];
        by_attempt[usize::try_from(*place).ok()?] = operation;
        *place += 1;
    }
    // Each place has moved to the end of its attempt.
    Some(Passages { by_attempt, ends: places })
}

fn sorted(history: &History) -> Passages<'_> {
    let mut by_attempt: Vec<_> = history.operations.iter().collect();
    // Stable: within an attempt the order of invocation stays.
    by_attempt.sort_by_key(|operation| operation.attempt);
    Passages { by_attempt, ends: Vec::new() }
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

    /// The same, of one slot of an attempt that books several.
    pub(crate) fn last_on(&self, slot: SlotId, step: Step) -> Option<&'a Operation> {
        let is_it = |operation: &&&Operation| operation.step == step && operation.slot == slot;
        self.operations.iter().rev().find(is_it).copied()
    }
}

/// When an operation ends: an unknown one at its invocation, which is all that is certain of it.
pub(crate) fn end_of(operation: &Operation) -> Instant {
    operation.completed.unwrap_or(operation.invoked)
}

//! From the observed grant to the end of what the holder did with it.

use lockproof_model::{Effect, HolderId, Instant, Operation, Outcome, SlotId, Step};

use crate::passage::{Passage, end_of};

/// One grant and its use.
///
/// ```text
///   granted                  valid_until           release invoked
///   |--------- trusted ---------|                        |
///   |------------------------- inside -------------------|
///                               |------- overrun --------|
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold<'a> {
    pub(crate) acquire: &'a Operation,
    /// When the granted request left.
    pub(crate) requested: Instant,
    /// When the grant was seen.
    pub(crate) granted: Instant,
    /// The end of validity.
    pub(crate) valid_until: Instant,
    /// Its release, or the last operation where there is none.
    pub(crate) last: &'a Operation,
    /// Until when the holder holds the lock by the promise that it was given.
    pub(crate) trusted_until: Instant,
    /// Until when the holder acts as if it held the lock.
    pub(crate) inside_until: Instant,
}

impl<'a> Hold<'a> {
    /// Every hold of an attempt. Acquires whose answer is unknown are none: their holder does not go in.
    pub(crate) fn all_of(passage: Passage<'a>) -> impl Iterator<Item = Self> {
        let operations = passage.operations;
        (0..operations.len()).filter_map(|index| Self::starting_at(&operations[index..]))
    }

    /// The last hold that a write of `slot` relies on: of the slot's own lock, or where that was not taken, of any.
    pub(crate) fn last_for(passage: Passage<'a>, slot: SlotId) -> Option<Self> {
        let own = Self::all_of(passage).filter(|hold| hold.acquire.slot == slot).last();
        own.or_else(|| Self::last_of(passage))
    }

    /// The last hold of an attempt.
    pub(crate) fn last_of(passage: Passage<'a>) -> Option<Self> {
        Self::all_of(passage).last()
    }

    pub(crate) fn holder(&self) -> HolderId {
        self.acquire.holder
    }

    /// Whether `instant` lies within what this holder was promised.
    pub(crate) fn is_trusted_at(&self, instant: Instant) -> bool {
        self.granted <= instant && instant <= self.trusted_until
    }

    fn starting_at(operations: &[&'a Operation]) -> Option<Self> {
        let (acquire, later) = operations.split_first()?;
        let Outcome::Ok(Effect::Granted { requested, valid_until, .. }) = acquire.outcome else {
            return None;
        };
        let granted = acquire.completed?;

        let is_own =
            |operation: &Operation, step| operation.step == step && operation.slot == acquire.slot;
        let again = later.iter().position(|op| is_own(op, Step::Acquire));
        let use_of_it = &later[..again.unwrap_or(later.len())];
        let release = use_of_it.iter().find(|op| is_own(op, Step::Release)).copied();
        let last = release.or(use_of_it.last().copied()).unwrap_or(acquire);

        // A lease that was renewed in between is found to stand for longer than it was granted.
        let own = use_of_it.iter().filter(|op| op.slot == acquire.slot);
        let verified = own.filter_map(|op| verified_until(op));
        let valid_until = verified.fold(valid_until, Ord::max);
        let inside_until = release.map_or(end_of(last), |release| release.invoked);
        // Never released: a bounded grant stands to its end whatever became of the holder. An unbounded one
        // belongs to a session and ends with it.
        let given_up = match release {
            Some(release) => release.invoked,
            None if valid_until == Instant::FAR_FUTURE => inside_until,
            None => Instant::FAR_FUTURE,
        };
        let trusted_until = valid_until.min(given_up);
        Some(Self { acquire, requested, granted, valid_until, last, trusted_until, inside_until })
    }
}

/// The end of validity that a renewal promises, or that a `verify` proves: what remained is counted from its invocation
/// at the earliest.
fn verified_until(operation: &Operation) -> Option<Instant> {
    match operation.outcome.effect()? {
        Effect::Renewed { valid_until } => Some(*valid_until),
        Effect::Verified { remaining } => Some(operation.invoked + *remaining),
        _ => None,
    }
}

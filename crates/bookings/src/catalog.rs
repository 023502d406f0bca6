//! Every guard, in documentation order. A new one is one file and two lines here.

use crate::{Constraints, Guard};

mod advisory_xact;
mod exclude;
mod fencing;
mod fencing_non_atomic;
mod fencing_write_only;
mod idempotency_key;
mod none;
mod row_lock;
mod row_lock_missing_row;
mod row_lock_nowait;
mod row_lock_skip_locked;
mod serializable;
mod unique;
mod version;
mod version_unchecked;

/// The guards that a strategy may name.
pub const ENTRIES: &[Entry] = &[
    none::ENTRY,
    unique::ENTRY,
    exclude::ENTRY,
    fencing::ENTRY,
    version::ENTRY,
    row_lock::ENTRY,
    row_lock_nowait::ENTRY,
    row_lock_skip_locked::ENTRY,
    advisory_xact::ENTRY,
    serializable::ENTRY,
    idempotency_key::ENTRY,
    fencing_write_only::ENTRY,
    fencing_non_atomic::ENTRY,
    version_unchecked::ENTRY,
    row_lock_missing_row::ENTRY,
];

/// A guard as scenarios, help texts and conformance trials know it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its spelling.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Whether it can only be paired with a lock that draws fencing tokens.
    pub needs_token: bool,
    /// What the database must enforce for it.
    pub constraints: Constraints,
    /// Why it sells a slot, or any part of one, no more than once, whatever its capacity; `None` where it counts.
    pub sells_once: Option<&'static str>,
    /// The engines that cannot do what it asks for.
    pub unsupported: &'static [Unsupported],
    /// Why it is unsafe on purpose, for a control that a test must see fail; `None` for a guard to use.
    pub control: Option<&'static str>,
    /// The algorithm.
    pub guard: &'static dyn Guard,
}

/// An engine on which a guard cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its name, as [`BookingStore::engine`](crate::BookingStore::engine) says it.
    pub engine: &'static str,
    /// Why not, as a sentence's end: "it has no …".
    pub reason: &'static str,
}

impl Entry {
    /// Why it cannot be on `engine`, where it cannot.
    #[must_use]
    pub fn refuses(&self, engine: &str) -> Option<&'static str> {
        let refusal = self.unsupported.iter().find(|unsupported| unsupported.engine == engine)?;
        Some(refusal.reason)
    }
}

/// The guard that is spelled `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_guards_share_a_name() {
        for entry in ENTRIES {
            let spelled = ENTRIES.iter().filter(|other| other.name == entry.name).count();
            assert_eq!(spelled, 1, "{}", entry.name);
            assert_eq!(find(entry.name).unwrap().summary, entry.summary);
        }
    }
}

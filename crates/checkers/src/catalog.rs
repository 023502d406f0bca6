//! Every checker, in documentation order. To add one: its file, and its two lines here.

use lockproof_model::Layer;

use crate::Checker;

mod availability;
mod duplicate_bookings;
mod duplicate_effects;
mod fairness;
mod fencing_monotonic;
mod mutual_exclusion;
mod orphaned_locks;
mod overlapping_grants;
mod refusals;
mod stale_writes;

pub use duplicate_bookings::duplicates;

/// Every checker, from what the customer suffers to what explains it.
pub const ENTRIES: &[CheckerEntry] = &[
    duplicate_bookings::ENTRY,
    duplicate_effects::ENTRY,
    stale_writes::ENTRY,
    mutual_exclusion::ENTRY,
    overlapping_grants::ENTRY,
    fencing_monotonic::ENTRY,
    refusals::ENTRY,
    availability::ENTRY,
    orphaned_locks::ENTRY,
    fairness::ENTRY,
];

/// The checker of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static CheckerEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// What the rest of the program knows of a checker.
#[derive(Clone, Copy, Debug)]
pub struct CheckerEntry {
    /// As scenarios and reports spell it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// What it speaks about.
    pub layer: Layer,
    /// Itself.
    pub checker: &'static dyn Checker,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_agrees_with_its_checker() {
        for entry in ENTRIES {
            assert_eq!(entry.name, entry.checker.name());
            assert_eq!(entry.layer, entry.checker.layer());
            assert!(find(entry.name).is_some());
        }
    }
}

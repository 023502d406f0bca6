//! Every guard, in documentation order. A new one is one file and two lines here.

use crate::{Constraints, Guard};

mod fencing;
mod fencing_write_only;
mod none;
mod row_lock;
mod unique;
mod version;

/// The guards that a strategy may name.
pub const ENTRIES: &[Entry] = &[
    none::ENTRY,
    unique::ENTRY,
    fencing::ENTRY,
    version::ENTRY,
    row_lock::ENTRY,
    fencing_write_only::ENTRY,
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
    /// Why it is unsafe on purpose, for a control that a test must see fail; `None` for a guard to use.
    pub control: Option<&'static str>,
    /// The algorithm.
    pub guard: &'static dyn Guard,
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

//! Every policy that a strategy can name, in documentation order. To add one: its file, and its two lines here.
//!
//! A lock says how to be alone, a policy how a holder goes about it once it is.

use std::fmt;
use std::time::Duration;

use crate::KeepAlive;

mod keep_alive;
mod one_term;

/// Every policy, the usual one first: it need not be spelled.
pub const ENTRIES: &[PolicyEntry] = &[one_term::ENTRY, keep_alive::ENTRY];

/// The policy of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static PolicyEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// The policy of a strategy that names none.
#[must_use]
pub fn usual() -> &'static PolicyEntry {
    &ENTRIES[0]
}

/// What the rest of the program knows of a policy.
#[derive(Clone, Copy)]
pub struct PolicyEntry {
    /// As strategies spell it, behind a `~`.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// How a lease of that TTL is kept alive, where the policy keeps it: a lock that cannot renew does not fit then.
    pub keep: Option<fn(Duration) -> KeepAlive>,
}

impl fmt::Debug for PolicyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

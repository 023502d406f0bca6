//! `one-term`: a lease is taken and never renewed. What most booking back ends do, and what is meant where no policy is
//! spelled.

use super::PolicyEntry;

pub(super) const ENTRY: PolicyEntry = PolicyEntry {
    name: "one-term",
    summary: "a lease is not renewed: it ends with its TTL",
    keep: None,
};

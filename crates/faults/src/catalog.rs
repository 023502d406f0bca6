//! Every fault, in documentation order. To add one: its file, and its two lines here.

use std::fmt;
use std::sync::Arc;

use crate::{ArgumentError, Arguments, Fault};

mod expire_lock;
mod latency;
mod partition;
mod pause_holder;
mod slow_commit;

/// Every fault that a scenario can name.
pub const ENTRIES: &[FaultEntry] = &[
    pause_holder::ENTRY,
    expire_lock::ENTRY,
    slow_commit::ENTRY,
    latency::ENTRY,
    partition::ENTRY,
];

/// The fault of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static FaultEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// What the rest of the program knows of a fault.
#[derive(Clone, Copy)]
pub struct FaultEntry {
    /// As scenarios spell it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Its own fields, beside those of every trigger.
    pub fields: &'static [Field],
    /// Makes one from its fields.
    pub build: fn(&mut Arguments) -> Result<Arc<dyn Fault>, ArgumentError>,
}

impl fmt::Debug for FaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A field of a fault.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub summary: &'static str,
}

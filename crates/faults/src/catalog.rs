//! Every fault, in documentation order. To add one: its file, and its two lines here.

use std::fmt;
use std::sync::Arc;

use crate::buggify::Draw;
use crate::{ArgumentError, Arguments, Fault};

mod clock_drift;
mod clock_jump;
mod crash_server;
mod disk_full;
mod evict;
mod expire_lock;
mod failover;
mod flush_all;
mod kill_backend;
mod kill_holder;
mod latency;
mod lose_reply;
mod lose_request;
mod partition;
mod pause_holder;
mod pause_server;
mod reset_connections;
mod rule;
mod slow_commit;

/// Every fault that a scenario can name.
pub const ENTRIES: &[FaultEntry] = &[
    pause_holder::ENTRY,
    kill_holder::ENTRY,
    expire_lock::ENTRY,
    slow_commit::ENTRY,
    kill_backend::ENTRY,
    latency::ENTRY,
    partition::ENTRY,
    lose_reply::ENTRY,
    lose_request::ENTRY,
    reset_connections::ENTRY,
    rule::ENTRY,
    pause_server::ENTRY,
    crash_server::ENTRY,
    clock_jump::ENTRY,
    clock_drift::ENTRY,
    failover::ENTRY,
    evict::ENTRY,
    flush_all::ENTRY,
    disk_full::ENTRY,
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
    /// Where it can be done.
    pub worlds: Worlds,
    /// How [`buggify`](crate::buggify) draws one, where it does.
    pub draw: Option<Draw>,
}

impl fmt::Debug for FaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// In which worlds a fault can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worlds {
    /// On real servers and sockets as well.
    Both,
    /// On model servers and virtual links alone.
    SimulatedOnly,
    /// On real servers alone.
    LiveOnly,
}

/// A field of a fault.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub summary: &'static str,
}

//! `redis-rs`: the client library that the locks are written with, and what is meant where no driver is spelled.

use lockproof_locks::SharedConnections;

use super::DriverEntry;

pub(super) const ENTRY: DriverEntry = DriverEntry {
    name: "redis-rs",
    summary: "the crate `redis`: no command is sent twice",
    live_only: None,
    out_of_reach: |_| None,
    dialler: None,
    settings: SharedConnections::driver_settings,
};

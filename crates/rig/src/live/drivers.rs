//! The client libraries that a lock on Redis can be tried over, in documentation order. To add one: its file, and its two
//! lines here.
//!
//! A library is part of a strategy: whether it sends a request again whose answer was lost, or gives up, is not the lock's
//! to decide. So it is taken with the settings that it has by itself, and these are printed with every report.

use std::fmt;

use lockproof_locks::Dialler;
use lockproof_model::DriverSetting;
use redis::ConnectionInfo;

mod fred;
mod redis_rs;

/// Every driver, the usual one first: it need not be spelled.
pub const DRIVERS: &[DriverEntry] = &[redis_rs::ENTRY, fred::ENTRY];

/// The driver of that name.
#[must_use]
pub fn find_driver(name: &str) -> Option<&'static DriverEntry> {
    DRIVERS.iter().find(|entry| entry.name == name)
}

/// The driver of a strategy that names none.
#[must_use]
pub fn usual_driver() -> &'static DriverEntry {
    &DRIVERS[0]
}

/// What the rest of the program knows of a driver.
#[derive(Clone, Copy)]
pub struct DriverEntry {
    /// As strategies spell it, behind an `@`.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Why it is for real sockets alone, where it is.
    pub live_only: Option<&'static str>,
    /// Why it cannot reach a server that is found so, where it cannot.
    pub out_of_reach: fn(&ConnectionInfo) -> Option<&'static str>,
    /// How it dials; none for the library that the locks are written with.
    pub dialler: Option<Dialler>,
    /// Its settings in force that can change an outcome.
    pub settings: fn() -> Vec<DriverSetting>,
}

impl fmt::Debug for DriverEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

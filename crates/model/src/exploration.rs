//! What a search through schedules came to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FaultRecord, History, Layer, nanos};

/// A search through the schedules of one cell, in the simulated world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exploration {
    /// Schedules that ran.
    pub schedules: u64,
    /// Schedules that differed in who did which step when, or in what came of it.
    pub distinct: u64,
    /// Schedules in which a fault took effect while a lock was held.
    pub bit_held: u64,
    /// Schedules in which a fault took effect at all.
    pub bit: u64,
    /// Virtual time that passed in all of them.
    #[serde(rename = "virtual_time_ns", with = "nanos")]
    pub virtual_time: Duration,
    /// Real time that the search took.
    #[serde(rename = "took_ns", with = "nanos")]
    pub took: Duration,
    /// Random faults were added, within these bounds.
    pub buggify: Option<String>,
    /// The first violation, if there was one.
    pub violation: Option<Violation>,
    /// Whether the cell ran live as well: the report's figures are of that run then, and not of one schedule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside_live: bool,
}

/// A schedule that broke something, as small as it could be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// It was the so-and-so-many-th schedule, counted from 1.
    pub schedule: u64,
    /// What it broke.
    pub layer: Layer,
    /// The kind of anomaly.
    pub anomaly: String,
    /// Why, as a sentence.
    pub sentence: String,
    /// Of the smallest schedule: its seed.
    pub seed: u64,
    /// Its holders, slots, attempts and faults, before it was made smaller and after.
    pub before: Size,
    /// After.
    pub after: Size,
    /// The smallest scenario as a file that replays it.
    pub replay: String,
    /// Where that file is kept, relative to the report.
    pub path: Option<String>,
    /// What the holders did in it.
    pub history: History,
    /// What its faults did.
    pub injections: Vec<FaultRecord>,
}

/// How large a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Holders.
    pub holders: u32,
    /// Slots.
    pub slots: u32,
    /// Attempts to book.
    pub bookings: u32,
    /// Faults that it names.
    pub faults: u32,
}

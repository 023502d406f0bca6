//! What a gate found once, against which later ones are held.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The version of `baseline.json`; raised by every change that a reader could notice.
pub const BASELINE_SCHEMA_VERSION: u32 = 1;

/// What a gate found, as far as a later one is held against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`BASELINE_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Version of Lockproof.
    pub version: String,
    /// Revision of the working directory, where it was a git checkout.
    pub revision: Option<String>,
    /// The command that found it, seed included.
    pub command: String,
    /// The seed of everything random.
    pub seed: u64,
    /// When it began, UTC, RFC 3339.
    pub started: String,
    /// Where the live servers came from: costs of others are no measure.
    pub provider: String,
    /// Operating system, architecture and cores; the same holds.
    pub machine: String,
    /// The cells, in the order of the report.
    pub cells: Vec<BaselineCell>,
}

/// One strategy under one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineCell {
    /// The scenario's name.
    pub scenario: String,
    /// The strategy as it is spelled.
    pub strategy: String,
    /// What the search through its schedules saw, where there was one.
    pub searched: Option<Seen>,
    /// What was seen on real sockets, in all attempts together, where it ran there.
    pub live: Option<Seen>,
    /// What each attempt on real sockets cost, in the order of the attempts.
    pub costs: Vec<AttemptCost>,
}

/// Which kinds of anomaly were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Whether the table was right, and the evidence such that it could have been wrong.
    pub held: bool,
    /// Kinds that make a table wrong.
    pub effect: BTreeSet<String>,
    /// Kinds that say something about the lock.
    pub others: BTreeSet<String>,
}

/// What one attempt at a cell cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptCost {
    /// Which attempt, counted from 1: pairs are made by it.
    pub attempt: u32,
    /// The 99th percentile of being alone, in microseconds.
    pub acquire_p99_us: f64,
    /// Bookings that were committed per second.
    pub bookings_per_s: f64,
}

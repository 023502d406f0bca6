//! Strategies beside each other: what each was tried under, what it costs and what it needs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::nanos;

/// The version of a comparison's JSON; raised by every change that a reader could notice.
pub const COMPARISON_SCHEMA_VERSION: u32 = 1;

/// Every strategy that was compared, and how far the comparison reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// [`COMPARISON_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// The command that repeats it, seed included.
    pub command: String,
    /// Schedules that were looked at in the simulated world, at most, in each cell.
    pub schedules: u64,
    /// Where cost was measured, as a phrase; none where it was not.
    pub cost_of: Option<String>,
    /// What was asked of a strategy.
    pub asked: Asked,
    /// Modes that any strategy was tried under, by their names.
    pub modes: Vec<String>,
    /// The strategies that are what was asked for, best first.
    pub ranked: Vec<Compared>,
    /// The others, in the same order.
    pub unfit: Vec<Compared>,
}

/// What a strategy has to be to be ranked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Failure modes under which it has to hold.
    pub require: Vec<String>,
    /// What its 99th percentile of being alone may be, in microseconds.
    pub max_p99_us: Option<f64>,
}

/// One strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// As it is spelled.
    pub strategy: String,
    /// What it is, as phrases: its lock, what its holder does about the lease where that is unusual, its guard.
    pub parts: Vec<String>,
    /// What it runs on.
    pub needs: Demand,
    /// What came of it under each mode that it was tried under, in the order of [`Comparison::modes`].
    pub tried: Vec<Trial>,
    /// The longest stretch of virtual time in which nothing was sold although somebody wanted to book, and in which
    /// scenario; of one schedule of each cell in which the table was right.
    pub longest_gap: Option<Gap>,
    /// What it costs when nothing is wrong.
    pub cost: Cost,
    /// Why it is not what was asked for, a sentence's end each; empty where it is.
    pub unfit: Vec<String>,
}

impl Compared {
    /// The modes under which it stood like this.
    pub fn under(&self, stand: Stand) -> impl Iterator<Item = &Trial> {
        self.tried.iter().filter(move |trial| trial.stand == stand)
    }
}

/// What a strategy runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// Servers of its lock, as a phrase; none where it has no lock.
    pub servers: Option<String>,
    /// Whether its guard works by fencing tokens of the lock.
    pub token: bool,
    /// Databases that cannot do what its guard asks for.
    pub not_on: Vec<String>,
}

/// What came of a strategy under one mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The failure mode's number, or the name of a scenario that shows none.
    pub mode: String,
    /// The worst of its cells.
    pub stand: Stand,
    /// The scenarios in which it was that bad.
    pub scenarios: Vec<String>,
}

/// How a strategy stood; the worst wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stand {
    /// The table was right in every schedule.
    Held,
    /// No fault took effect, a server was missing, or it is unsafe here and was not seen to be.
    Undecided,
    /// The table was right, and nobody could book for as long as a scenario calls blocked, or ever.
    Blocked,
    /// The table was wrong: a slot sold twice, or a booking that is not what its customer was told.
    Broken,
}

/// A stretch without a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// How long, in virtual time.
    #[serde(rename = "lasted_ns", with = "nanos")]
    pub lasted: Duration,
    /// In which scenario.
    pub scenario: String,
}

/// What a strategy costs when nothing is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Measured on real sockets.
    Measured {
        /// Median of the time from asking for the lock to the answer of the check, in microseconds.
        p50_us: f64,
        /// Its 99th percentile.
        p99_us: f64,
        /// Bookings that were committed per second.
        bookings_per_s: f64,
    },
    /// Not measured, for this reason.
    Unknown(String),
}

impl Cost {
    /// The 99th percentile in microseconds, where it was measured.
    #[must_use]
    pub fn p99_us(&self) -> Option<f64> {
        match self {
            Self::Measured { p99_us, .. } => Some(*p99_us),
            Self::Unknown(_) => None,
        }
    }
}

//! The one value from which every rendering is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AnswerCount, Expectation, Exploration, FaultRecord, FaultSummary, Finding, Instant, Judgement,
    Pictures, Slice, SlotId, Status, Verdict, nanos,
};

/// The version of `results.json`; raised by every change that a reader could notice.
pub const RESULTS_SCHEMA_VERSION: u32 = 1;

/// Where a run takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Real sockets, real servers, real time.
    Live,
    /// One thread, virtual time, a seed decides everything.
    Sim,
}

/// A run: every scenario under every strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunReport {
    /// [`RESULTS_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Where it came from.
    pub manifest: Manifest,
    /// The cells, in the order of scenarios and of strategies within each.
    pub cells: Vec<CellReport>,
}

impl RunReport {
    /// The worst status of any cell; [`Status::Met`] for none.
    #[must_use]
    pub fn status(&self) -> Status {
        self.cells.iter().map(|cell| cell.judgement.status).max().unwrap_or(Status::Met)
    }
}

/// What is needed to judge a report and to run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of Lockproof.
    pub version: String,
    /// Revision of the working directory, where it is a git checkout.
    pub revision: Option<String>,
    /// The command that repeats it, seed included.
    pub command: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Where it took place.
    pub world: World,
    /// Where the live servers came from.
    pub provider: String,
    /// When it began, UTC, RFC 3339.
    pub started: String,
    /// How long it took.
    #[serde(rename = "took_ns", with = "nanos")]
    pub took: Duration,
    /// Operating system, architecture and cores.
    pub machine: String,
    /// Whether it was interrupted before its last cell.
    pub interrupted: bool,
    /// Which part of a run it is, where others do the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Slice>,
}

/// A server that took part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerInfo {
    /// What it is: `embedded redis model`, `redis-server`, `sqlite`, `postgres`.
    pub kind: String,
    /// Its version, as it says itself.
    pub version: String,
    /// How many of them.
    pub count: u32,
    /// What it is set to, the weightiest first; nothing for servers that the run set up itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<ServerSetting>,
}

impl ServerInfo {
    /// One server of which nothing else is known.
    pub fn new(kind: impl Into<String>, version: impl Into<String>) -> Self {
        Self { kind: kind.into(), version: version.into(), count: 1, settings: Vec::new() }
    }
}

/// A setting of a server that can change an outcome.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSetting {
    /// Its name, as the server spells it.
    pub name: String,
    /// Its value, as the server says it, or why it is not known.
    pub value: String,
    /// What it does to a lock or a booking, where that is worth a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A setting of a driver that can change an outcome.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverSetting {
    /// Which driver, with its version.
    pub driver: String,
    /// Which setting.
    pub setting: String,
    /// Its value, with the unit.
    pub value: String,
}

/// One strategy under one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellReport {
    /// The scenario's name.
    pub scenario: String,
    /// The file that it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its title.
    pub title: String,
    /// The failure modes that it shows.
    pub catalog: Vec<String>,
    /// The strategy as it is spelled.
    pub strategy: String,
    /// What was expected of it here.
    pub expectation: Option<Expectation>,
    /// Whether that held.
    pub judgement: Judgement,
    /// The worst verdict of each layer.
    pub layers: Layers,
    /// What each checker said.
    pub findings: Vec<Finding>,
    /// Attempts made.
    pub attempts: u32,
    /// Confirmed rows in the table.
    pub bookings: u32,
    /// Confirmed rows above capacity, over all slots.
    pub duplicates: u32,
    /// Attempts that the lock refused.
    pub refused_by_lock: u32,
    /// Attempts whose check found the slot sold out.
    pub refused_by_check: u32,
    /// Attempts whose write the guard refused.
    pub refused_by_guard: u32,
    /// Attempts that certainly failed with an error.
    pub failed: u32,
    /// Attempts of which nobody knows.
    pub unknown: u32,
    /// The first error met, in its own words.
    pub first_error: Option<String>,
    /// From asking for the lock to the answer of the check: what being alone costs, wherever the strategy waits
    /// for it.
    pub acquire: Option<PercentilesUs>,
    /// Whole attempts from their intended start.
    pub response: Option<PercentilesUs>,
    /// Whole attempts from their actual start.
    pub service: Option<PercentilesUs>,
    /// The longest stretch in which nothing was committed while attempts were open.
    #[serde(rename = "longest_gap_ns", with = "nanos")]
    pub longest_gap: Duration,
    /// The most attempts that were meant to have started and had not; 0 in a closed loop.
    pub backlog: u32,
    /// What an open loop offered at most, in attempts per second; none in a closed one.
    pub offered_per_s: Option<f64>,
    /// Each `[[fault]]`, counted.
    pub faults: Vec<FaultSummary>,
    /// Each injection.
    pub injections: Vec<FaultRecord>,
    /// What a search through its schedules came to, where there was one; the figures above are of one schedule then,
    /// unless the cell [ran live as well](Exploration::beside_live).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Exploration>,
    /// How the service answered, where a service is what was put to the test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerCount>,
    /// The first violation told step by step.
    pub stories: Vec<Story>,
    /// What pictures of it are made of.
    #[serde(default, skip_serializing_if = "Pictures::is_empty")]
    pub pictures: Pictures,
    /// The servers that took part.
    pub servers: Vec<ServerInfo>,
    /// The drivers' settings in force.
    pub drivers: Vec<DriverSetting>,
    /// How long the cell's workload ran.
    #[serde(rename = "took_ns", with = "nanos")]
    pub took: Duration,
}

impl CellReport {
    /// Whether the figures are of a whole run, and not of one schedule that stands for those of a search.
    #[must_use]
    pub fn has_run(&self) -> bool {
        self.exploration.as_ref().is_none_or(|search| search.beside_live)
    }
}

/// The worst verdict of each layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// The table.
    pub effect: Verdict,
    /// What holders believed.
    pub belief: Verdict,
    /// What the lock service did.
    pub service: Verdict,
    /// Whether anyone could still book.
    pub liveness: Verdict,
}

/// A latency distribution in microseconds, at the points that the table shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PercentilesUs {
    /// Samples.
    pub count: u64,
    /// Median.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// 99.9th percentile.
    pub p999_us: f64,
    /// Largest.
    pub max_us: f64,
}

/// A violation told step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Where.
    pub slot: SlotId,
    /// What happened, as a sentence.
    pub title: String,
    /// Who did what, by time.
    pub lines: Vec<StoryLine>,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoryLine {
    /// When.
    #[serde(rename = "at_ns")]
    pub at: Instant,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
}

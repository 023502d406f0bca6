//! What is kept of each schedule of a search, so that searches of parts add up to the search of the whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Expectation, Judgement, Layer, nanos};

/// What a schedule broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// Of which layer.
    pub layer: Layer,
    /// Which kind of anomaly.
    pub anomaly: String,
    /// Why, as a sentence.
    pub sentence: String,
}

/// What is kept of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glance {
    /// Which, counted from 0; in a search of a slice, by the count of the whole.
    pub number: u64,
    /// Who did which step in which order, and what came of it, as a hash.
    pub fingerprint: u64,
    /// Whether a fault took effect.
    pub bit: bool,
    /// Whether one did while a lock was held.
    pub bit_held: bool,
    /// Virtual time that it took.
    #[serde(rename = "took_ns", with = "nanos")]
    pub took: Duration,
    /// What it broke, where it broke what was sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
}

/// What a search is judged by, beside its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stakes {
    /// What was expected of the strategy.
    pub expect: Expectation,
    /// What has to be found, as words, where something has to be.
    pub sought: Option<String>,
    /// Whether there are faults, which have to bite then.
    pub has_faults: bool,
    /// What the first schedule was judged, where that stands for all of them.
    pub first: Option<Judgement>,
}

/// What a slice of a search saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchLog {
    /// What it is judged by.
    pub stakes: Stakes,
    /// Its schedules up to the first that broke something, in their order.
    pub glances: Vec<Glance>,
}

//! What pictures of a cell are made of: how its latencies are distributed, how they went over time, and what happened
//! where something broke.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FaultRecord, History, Instant, SlotId, nanos};

/// Everything that a cell's figures alone do not show. Reports of older versions have none of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Whole attempts from their intended start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<CurvePoint>,
    /// Whole attempts from their actual start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<CurvePoint>,
    /// What was done when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// The first violations, as their holders went through them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenes: Vec<Scene>,
}

impl Pictures {
    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { response, service, timeline, scenes } = self;
        response.is_empty() && service.is_empty() && timeline.is_none() && scenes.is_empty()
    }
}

/// A point of a percentile curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// The share of samples that took no longer, from 0 to 1.
    pub quantile: f64,
    /// How long they took.
    pub value_us: f64,
}

/// What was done in each stretch of a cell, all of them equally long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Where the first stretch begins.
    #[serde(rename = "from_ns")]
    pub from: Instant,
    /// How long each of them is.
    #[serde(rename = "width_ns", with = "nanos")]
    pub width: Duration,
    /// One after the other.
    pub stretches: Vec<Stretch>,
}

/// What was done in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Attempts that ended in it, however they ended.
    pub finished: u32,
    /// Those of them whose commit was acknowledged.
    pub booked: u32,
    /// Median response time of those that ended in it.
    pub p50_us: Option<f64>,
    /// The 99th percentile; the largest where there are fewer than a hundred.
    pub p99_us: Option<f64>,
}

/// The attempts that prove one violation, with what went wrong around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Where.
    pub slot: SlotId,
    /// The kind of anomaly.
    pub anomaly: String,
    /// Why, as a sentence.
    pub sentence: String,
    /// What the holders did in those attempts, numbered anew.
    pub history: History,
    /// The faults that stood meanwhile.
    pub injections: Vec<FaultRecord>,
}

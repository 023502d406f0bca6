//! The envelope of strategies: how far a field of a scenario can go before one breaks.

use serde::{Deserialize, Serialize};

use crate::Amount;

/// The version of `sweep.json`; raised by every change that a reader could notice.
pub const SWEEP_SCHEMA_VERSION: u32 = 1;

/// What became of each strategy while one or two fields of a scenario were varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// [`SWEEP_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// The command that repeats it, seed included.
    pub command: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Schedules that were looked at for each point, at most: a point survives when none of them breaks the table.
    pub schedules: u64,
    /// What else the envelope depends on, as phrases: `TTL 300 ms`, `work 20 ms`.
    pub under: Vec<String>,
    /// The field whose boundary is sought.
    pub dial: Dial,
    /// The field for some of whose values it is sought, where there is one.
    pub against: Option<Dial>,
    /// The strategies, in the order of the scenario, each with one envelope, or with one for each value of `against`.
    pub envelopes: Vec<Envelope>,
    /// Why nothing was confirmed live although it was asked for.
    pub unconfirmed: Option<String>,
}

/// A field that is varied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// Its address: `fault.1.for`, `lock.ttl`.
    pub field: String,
    /// The kind of the fault that it belongs to.
    pub fault: Option<String>,
    /// The smallest value that is tried.
    pub low: Amount,
    /// The largest.
    pub high: Amount,
    /// Between two values that can be told apart.
    pub step: Amount,
}

impl Dial {
    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let span = self.high.figure().saturating_sub(self.low.figure());
        span / self.step.figure().max(1)
    }

    /// The value after so many steps.
    #[must_use]
    pub fn at(&self, steps: u64) -> Amount {
        self.low.with(self.low.figure().saturating_add(steps.saturating_mul(self.step.figure())))
    }
}

/// One strategy, under one value of the second field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// As it is spelled.
    pub strategy: String,
    /// The value of the second field, where there is one.
    pub against: Option<Amount>,
    /// What the envelope looks like.
    pub shape: Shape,
    /// Values whose outcome is not what the shape says: the strategy does not get worse (or better) all the way.
    pub odd: Vec<Amount>,
    /// Every value that was tried, by size.
    pub tried: Vec<Tried>,
    /// What came of the two values beside the boundary on real sockets, where that was asked for.
    pub live: Vec<LiveTry>,
}

/// Which values a strategy survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// All that were tried.
    Survives,
    /// None that was tried.
    Breaks,
    /// Small ones.
    UpTo {
        /// The largest of them.
        survives: Amount,
        /// The next that was tried.
        breaks: Amount,
    },
    /// Large ones.
    From {
        /// The last that it does not survive.
        breaks: Amount,
        /// The next that was tried.
        survives: Amount,
    },
}

/// One value in the simulated world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// The value.
    pub at: Amount,
    /// Schedules that were looked at: up to the first that broke the table.
    pub schedules: u64,
    /// Those in which a fault took effect.
    pub bit: u64,
    /// What the first violation was, as a sentence.
    pub broken: Option<String>,
}

/// One value on real sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveTry {
    /// The value.
    pub at: Amount,
    /// What came of it.
    pub outcome: LiveOutcome,
}

/// What came of a value on real sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveOutcome {
    /// The table was right, of so many bookings.
    Held(u32),
    /// It was not: so many bookings too many, or another anomaly where that is none.
    Broke(u32),
    /// It proves nothing, for this reason.
    Undecided(String),
}

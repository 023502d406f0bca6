//! What follows from the evidence.

use serde::{Deserialize, Serialize};

use crate::{BookingTable, FaultRecord, History, LockName, OperationId, OwnerValue, SlotId};

/// The worst wins, and `Unknown` is never green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The property held.
    #[default]
    Valid,
    /// The evidence does not decide.
    Unknown,
    /// The property was broken, and a witness shows it.
    Violated,
}

/// What a finding speaks about, from what the customer suffers to what explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The bookings table. A scenario's `[expect]` judges this layer alone.
    Effect,
    /// What holders believed: two inside the critical section.
    Belief,
    /// What the lock service did: overlapping grants, tokens that go back.
    Service,
    /// Whether anyone could still book.
    Liveness,
}

/// Everything that a checker may look at.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What the holders did.
    pub history: &'a History,
    /// What the database holds.
    pub table: &'a BookingTable,
    /// Which faults took effect, and when.
    pub faults: &'a [FaultRecord],
    /// Locks that stood at the servers when every holder had stopped and cleaned up; empty where nobody looked.
    pub left: &'a [LockLeft],
}

/// A lock that a server still keeps although nobody works any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockLeft {
    /// Which lock.
    pub lock: LockName,
    /// On which server, counted from 1.
    pub server: u32,
    /// Whose it is, by the owner value.
    pub owner: OwnerValue,
    /// Whether it ends by itself: one without a TTL keeps everybody out for ever.
    pub ends: bool,
}

/// One checker's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which checker.
    pub checker: String,
    /// What it speaks about.
    pub layer: Layer,
    /// Its answer.
    pub verdict: Verdict,
    /// Every violation or doubt, in time order.
    pub anomalies: Vec<Anomaly>,
}

impl Finding {
    /// A finding whose verdict is violated as soon as there is an anomaly.
    #[must_use]
    pub fn from_anomalies(checker: &str, layer: Layer, anomalies: Vec<Anomaly>) -> Self {
        let verdict = if anomalies.is_empty() { Verdict::Valid } else { Verdict::Violated };
        Self { checker: checker.to_owned(), layer, verdict, anomalies }
    }
}

/// One violation with its smallest witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// The kind, in the checker's own vocabulary (`duplicate-booking`, `overrun`, …).
    pub kind: String,
    /// Where.
    pub slot: SlotId,
    /// Excess of this anomaly where it is counted (bookings above capacity), else 1.
    pub count: u32,
    /// Why, as a sentence: the lock, the holder or the guard.
    pub sentence: String,
    /// The smallest set of operations that proves it.
    pub witness: Vec<OperationId>,
}

//! What a fault did, as evidence.

use serde::{Deserialize, Serialize};

use crate::{HolderId, Instant, SlotId};

/// One injection, from the moment it took effect until it was healed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRecord {
    /// Which `[[fault]]` of the scenario, counted from 1.
    pub fault: u32,
    /// Its kind.
    pub kind: String,
    /// When it was injected.
    #[serde(rename = "injected_ns")]
    pub injected: Instant,
    /// When it was healed; `None` while it stands.
    #[serde(rename = "healed_ns")]
    pub healed: Option<Instant>,
    /// Whom it hit, where it hits a holder.
    pub holder: Option<HolderId>,
    /// On which slot that holder was working.
    pub slot: Option<SlotId>,
    /// Whether it took effect.
    pub bit: bool,
    /// What was observed to prove it.
    pub observed: String,
}

/// All injections of one `[[fault]]`, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSummary {
    /// Which `[[fault]]` of the scenario, counted from 1.
    pub fault: u32,
    /// Its kind with its main figure, as the table's head line shows it: `pause-holder 500ms`.
    pub label: String,
    /// How often it was injected.
    pub injected: u32,
    /// How often that took effect.
    pub bit: u32,
}

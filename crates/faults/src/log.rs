//! What every injection did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockproof_model::{FaultRecord, Instant};
use lockproof_workload::Occurrence;

use crate::trigger::FaultPlan;
use lockproof_rig::RigError;

use crate::Healed;

/// Records in the order of injection.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<FaultRecord>>);

impl Log {
    /// Notes an injection and gives its place.
    pub(crate) fn injected(
        &self,
        plan: &FaultPlan,
        at: Instant,
        occurrence: Option<&Occurrence>,
    ) -> usize {
        let mut records = self.records();
        records.push(FaultRecord {
            fault: plan.number,
            kind: plan.kind.to_owned(),
            injected: at,
            healed: None,
            holder: occurrence.map(|occurrence| occurrence.holder),
            slot: occurrence.map(|occurrence| occurrence.slot),
            bit: false,
            observed: "not healed".to_owned(),
        });
        records.len() - 1
    }

    pub(crate) fn healed(&self, place: usize, at: Instant, healed: Healed) {
        if let Some(record) = self.records().get_mut(place) {
            record.healed = Some(at);
            record.bit = healed.bit;
            record.observed = healed.observed;
        }
    }

    pub(crate) fn failed(&self, place: usize, at: Instant, error: &RigError) {
        let observed = format!("not injected: {}", lockproof_model::in_full(error));
        self.healed(place, at, Healed { bit: false, observed });
    }

    pub(crate) fn take(&self) -> Vec<FaultRecord> {
        std::mem::take(&mut *self.records())
    }

    fn records(&self) -> MutexGuard<'_, Vec<FaultRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

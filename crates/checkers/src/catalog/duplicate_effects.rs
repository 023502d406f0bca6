//! No more customers are told that a slot is theirs than it has room for, or bookings of.
//!
//! A booking too many of which its customer was told is one anomaly and not two: it is the table's. What is sent cannot be taken back, and no table says that it was: the ledger is the history, in which every *notify*
//! is an operation. One whose answer nobody saw counts as sent, since it may have been.

use std::collections::BTreeMap;

use lockproof_model::{Anomaly, Evidence, Finding, Layer, Operation, Outcome, SlotId, Step};

use super::CheckerEntry;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "duplicate-effects",
    summary: "no more customers are told that a slot is theirs than it has room for or bookings of",
    layer: Layer::Effect,
    checker: &DuplicateEffects,
};

#[derive(Debug)]
struct DuplicateEffects;

impl Checker for DuplicateEffects {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let mut sent: BTreeMap<SlotId, Vec<&Operation>> = BTreeMap::new();
        for operation in &evidence.history.operations {
            if operation.step == Step::Notify && !matches!(operation.outcome, Outcome::Fail(_)) {
                sent.entry(operation.slot).or_default().push(operation);
            }
        }
        if sent.is_empty() {
            return Finding::from_anomalies(ENTRY.name, ENTRY.layer, Vec::new());
        }
        let room: BTreeMap<_, _> =
            evidence.table.slots.iter().map(|row| (row.slot, row.capacity)).collect();
        let oversent = sent.iter().filter_map(|(slot, sent)| {
            let room = room.get(slot).copied().unwrap_or(0);
            let booked = evidence.table.bookings_of(*slot).count();
            let booked = u32::try_from(booked).unwrap_or(u32::MAX);
            let sent_times = u32::try_from(sent.len()).unwrap_or(u32::MAX);
            let excess = sent_times.saturating_sub(room.max(booked));
            (excess > 0).then(|| duplicate_effect(*slot, sent, excess))
        });
        let mut anomalies: Vec<_> = oversent.collect();
        anomalies.sort_by_key(|anomaly| (anomaly.witness.last().copied(), anomaly.slot));
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, anomalies)
    }
}

fn duplicate_effect(slot: SlotId, sent: &[&Operation], count: u32) -> Anomaly {
    let last = sent.last().map(|notify| notify.holder.to_string()).unwrap_or_default();
    let times = words::times(sent.len());
    Anomaly {
        kind: kinds::DUPLICATE_EFFECT.to_owned(),
        slot,
        count,
        sentence: format!("customers were told {times} that {slot} is theirs, at last by {last}"),
        witness: words::witness(sent.iter().map(|notify| notify.id)),
    }
}

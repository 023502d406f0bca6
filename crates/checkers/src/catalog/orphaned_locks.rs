//! No lock outlives everybody who could give it back.
//!
//! When every holder has stopped and its clean-ups are over, nothing may stand at a server: a lock that does keeps
//! everybody out until its TTL ends, for nobody's sake. It is left by an acquire whose answer was lost and that
//! nobody withdrew (F20), by a quorum that failed and was not taken back (F36), by a release that was given up.
//!
//! A release that was answered can be undone, by a failover to a replica that was behind or by a server that was not
//! among those that answered. No client can know of that one, so it is an anomaly of a kind of its own.
//!
//! A holder that died cannot clean up, and its lease is what TTLs are for: slots on which an operation never ended are
//! not judged, nor are those of a holder that died. A lock without a TTL is, whoever has left it: nothing will ever end
//! it (F17).

use std::collections::BTreeSet;

use lockproof_model::{
    Anomaly, Attempt, Effect, Evidence, Finding, Layer, LockLeft, Operation, SlotId, Step,
};

use super::CheckerEntry;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "orphaned-locks",
    summary: "no lock stands when everybody has stopped and cleaned up",
    layer: Layer::Liveness,
    checker: &OrphanedLocks,
};

#[derive(Debug)]
struct OrphanedLocks;

impl Checker for OrphanedLocks {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let operations = &evidence.history.operations;
        let open = operations.iter().filter(|operation| operation.completed.is_none());
        let mut undecided: BTreeSet<SlotId> = open.map(|operation| operation.slot).collect();
        undecided.extend(slots_of_the_dead(&evidence.history.attempts));
        let orphans: Vec<_> = evidence
            .left
            .iter()
            .filter(|left| !left.ends || !undecided.contains(&slot_of(left)))
            .map(|left| describe(left, operations))
            .collect();
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&orphans, Clone::clone))
    }
}

/// Every slot of a holder that died: a clean-up that was under way died with it.
fn slots_of_the_dead(attempts: &[Attempt]) -> impl Iterator<Item = SlotId> {
    let died = attempts.iter().filter(|attempt| attempt.result.is_death());
    let dead: BTreeSet<_> = died.map(|attempt| attempt.holder).collect();
    attempts.iter().filter(move |attempt| dead.contains(&attempt.holder)).map(|a| a.slot)
}

fn describe(left: &LockLeft, operations: &[Operation]) -> Anomaly {
    let slot = slot_of(left);
    let granted = operations.iter().find(|operation| {
        matches!(operation.outcome.effect(), Some(Effect::Granted { owner, .. }) if *owner == left.owner)
    });
    let server = left.server;
    let (kind, why, witness) = match granted {
        Some(acquire) => {
            let mut later = operations.iter().filter(|op| op.attempt == acquire.attempt);
            let release = later.find(|op| op.step == Step::Release);
            let answered =
                |op: &Operation| matches!(op.outcome.effect(), Some(Effect::Released { .. }));
            let (kind, what) = if release.is_some_and(answered) {
                (kinds::RELEASE_UNDONE, "gave it back and was answered")
            } else {
                (kinds::ORPHANED_LOCK, "was granted it and did not give it back")
            };
            let witness = std::iter::once(acquire.id).chain(release.map(|op| op.id)).collect();
            (kind, format!("{} {what}", acquire.holder), witness)
        }
        None => {
            // Whoever asked for it was told something else.
            let asked = operations.iter().filter(|op| op.slot == slot && op.step == Step::Acquire);
            let unanswered = asked.filter(|op| !op.outcome.is_ok()).map(|op| op.id);
            let why = "nobody knows that it was granted, and nobody withdrew it".to_owned();
            (kinds::ORPHANED_LOCK, why, unanswered.collect())
        }
    };
    let (kind, why) = if left.ends {
        (kind, why)
    } else {
        (kinds::IMMORTAL_LOCK, format!("{why}, and it has no TTL"))
    };
    Anomaly {
        kind: kind.to_owned(),
        slot,
        count: 1,
        sentence: format!(
            "the lock of {slot} still stands on redis-{server} when everybody has stopped: {why}"
        ),
        witness,
    }
}

/// The workload calls a slot's lock after it; a lock of another name has none.
fn slot_of(left: &LockLeft) -> SlotId {
    let number = left.lock.as_str().strip_prefix("slot-").and_then(|digits| digits.parse().ok());
    SlotId(number.unwrap_or(0))
}

//! After every fault is healed, bookings go on as soon as leases allow it.
//!
//! A lock that a fault left standing keeps everybody out until its TTL ends, and another one may have been taken just
//! before. Two of the longest leases are what leases explain; a stretch after the last heal that is longer, in which
//! somebody wants to book and nobody gets anywhere, is not theirs.
//!
//! ```text
//!   fault ████|healed
//!   A      |acquire ok|        |asking---------------------------
//!   B                          |asking------------------|granted|
//!              last progress ──▶|◀──── unavailable ────▶|
//! ```
//!
//! Progress is every step that a holder completes after it was granted the lock, and the grant itself; while somebody
//! works or thinks, nothing is missing. Where no lease is bounded there is no such measure, and the longest gap in the
//! report is a figure without a verdict.

use std::time::Duration;

use lockproof_model::{
    Anomaly, Attempt, Effect, Evidence, FaultRecord, Finding, Instant, Layer, Operation, SlotId,
    Step,
};

use super::CheckerEntry;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "availability",
    summary: "after every fault is healed, somebody gets on within two leases",
    layer: Layer::Liveness,
    checker: &Availability,
};

#[derive(Debug)]
struct Availability;

impl Checker for Availability {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let gap = healed(evidence.faults).and_then(|healed| {
            let longest = longest_lease(&evidence.history.operations)?;
            let gap = Gap::longest_after(healed, evidence)?;
            (gap.lasted() > longest.saturating_mul(2)).then(|| gap.describe(healed, longest))
        });
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, gap.into_iter().collect())
    }
}

/// When the last fault was healed; nothing when there was none, or one that stands.
fn healed(faults: &[FaultRecord]) -> Option<Instant> {
    let healed = faults.iter().map(|fault| fault.healed.unwrap_or(Instant::FAR_FUTURE));
    healed.max().filter(|healed| *healed != Instant::FAR_FUTURE)
}

fn longest_lease(operations: &[Operation]) -> Option<Duration> {
    let lease = |operation: &Operation| match operation.outcome.effect()? {
        Effect::Granted { requested, valid_until, .. } if *valid_until != Instant::FAR_FUTURE => {
            Some(valid_until.saturating_since(*requested))
        }
        _ => None,
    };
    operations.iter().filter_map(lease).max()
}

/// A stretch in which somebody wanted to book and nobody got anywhere.
#[derive(Clone, Copy, Debug)]
struct Gap<'a> {
    from: Instant,
    until: Instant,
    /// The progress before and after it.
    before: Option<&'a Operation>,
    after: Option<&'a Operation>,
}

impl<'a> Gap<'a> {
    fn lasted(&self) -> Duration {
        self.until.saturating_since(self.from)
    }

    /// The longest that begins when everything was healed, or later.
    fn longest_after(healed: Instant, evidence: &Evidence<'a>) -> Option<Self> {
        let attempts = &evidence.history.attempts;
        let until = attempts.iter().map(|attempt| attempt.finished).max()?;
        let operations = evidence.history.operations.iter().filter_map(Progress::of);
        let mut progress: Vec<_> = operations.chain(idle(attempts)).collect();
        progress.retain(|it| it.until > healed);
        progress.sort_unstable_by_key(|it| it.from);
        let mut gap = Self { from: healed, until, before: None, after: None };
        let mut longest: Option<Self> = None;
        let mut take = |gap: Self| {
            if gap.until > gap.from && longest.is_none_or(|it| gap.lasted() > it.lasted()) {
                longest = Some(gap);
            }
        };
        for it in progress {
            take(Self { until: it.from, after: it.operation, ..gap });
            if it.until >= gap.from {
                gap = Self { from: it.until, before: it.operation, ..gap };
            }
        }
        take(gap);
        longest
    }

    fn describe(&self, healed: Instant, longest: Duration) -> Anomaly {
        let known: Vec<_> = [self.before, self.after].into_iter().flatten().collect();
        Anomaly {
            kind: kinds::UNAVAILABLE.to_owned(),
            slot: known.last().map_or(SlotId(0), |operation| operation.slot),
            count: 1,
            sentence: format!(
                "nobody got anywhere for {} from {} on, though everything was healed by {healed} and no lease lasts longer than {}",
                words::duration(self.lasted()),
                self.from,
                words::duration(longest),
            ),
            witness: words::witness(known.iter().map(|operation| operation.id)),
        }
    }
}

/// When nothing was missing: somebody got on, or nobody wanted to.
#[derive(Clone, Copy, Debug)]
struct Progress<'a> {
    operation: Option<&'a Operation>,
    from: Instant,
    until: Instant,
}

impl<'a> Progress<'a> {
    fn of(operation: &'a Operation) -> Option<Self> {
        let until = operation.completed.filter(|_| operation.outcome.is_ok())?;
        let from = match operation.step {
            Step::Release => return None,
            // All of it: the holder is at it for as long as it was told to be.
            Step::Think | Step::Work => operation.invoked,
            _ => until,
        };
        Some(Self { operation: Some(operation), from, until })
    }
}

/// The stretches in which no attempt was open.
fn idle<'a>(attempts: &[Attempt]) -> Vec<Progress<'a>> {
    let mut open: Vec<_> = attempts.iter().map(|it| (it.started, it.finished)).collect();
    open.sort_unstable();
    let mut from = Instant::ZERO;
    let mut idle = Vec::new();
    for (started, finished) in open {
        if started > from {
            idle.push(Progress { operation: None, from, until: started });
        }
        from = from.max(finished);
    }
    idle
}

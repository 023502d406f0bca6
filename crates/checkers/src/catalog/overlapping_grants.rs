//! No lock is granted while a grant of it still stands, by what the server has promised.
//!
//! `mutual-exclusion` asks what holders believed; this asks what the server did, whoever the holders are and whether or
//! not the later one could still trust its grant:
//!
//! ```text
//!   A  |request|===== stands =====|           until its release was sent, or its TTL ended
//!   B               |request|==               granted while A's stood
//!   C            |re·qu·est|                  seen after its own TTL had ended, but decided while A's stood
//! ```
//!
//! A grant stands for certain from when it was seen, since it was made before, to the end of its validity, which is
//! never later than its TTL's. Where the answer was seen in time, the later grant stands at that moment; where it was
//! not, all of its request has to lie within the earlier one.

use lockproof_model::{Anomaly, AttemptId, Evidence, Finding, Instant, Layer};

use super::CheckerEntry;
use crate::ending_last::EndingLast;
use crate::hold::Hold;
use crate::passage::Passages;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "overlapping-grants",
    summary: "no lock is granted while an earlier grant of it stands",
    layer: Layer::Service,
    checker: &OverlappingGrants,
};

#[derive(Debug)]
struct OverlappingGrants;

impl Checker for OverlappingGrants {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let passages = Passages::new(evidence.history);
        let mut holds: Vec<_> = passages.iter().flat_map(Hold::all_of).collect();
        holds.sort_unstable_by_key(|hold| (hold.acquire.slot, hold.granted, hold.acquire.id));

        let locks = holds.chunk_by(|a, b| a.acquire.slot == b.acquire.slot);
        let mut pairs: Vec<_> = locks.flat_map(overlapping).collect();
        pairs.sort_unstable_by_key(|pair| (pair.later.granted, pair.later.acquire.id));
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&pairs, Pair::describe))
    }
}

/// A grant that was made while another stood.
#[derive(Clone, Copy, Debug)]
struct Pair<'h, 'a> {
    earlier: &'h Hold<'a>,
    later: &'h Hold<'a>,
}

/// The pairs among the grants of one lock, which are in the order in which they were seen.
fn overlapping<'h, 'a>(by_grant: &'h [Hold<'a>]) -> Vec<Pair<'h, 'a>> {
    let mut standing: EndingLast<AttemptId, &Hold<'_>> = EndingLast::default();
    let mut pairs = Vec::new();
    for later in by_grant {
        let (end, attempt) = (later.trusted_until, later.acquire.attempt);
        if later.is_trusted_at(later.granted)
            && let Some((_, earlier)) =
                standing.not_of(attempt).filter(|(end, _)| *end >= later.granted)
        {
            pairs.push(Pair { earlier, later });
        }
        standing.add(end, attempt, later);
    }
    pairs.extend(seen_late(by_grant));
    pairs
}

/// The same of grants that were seen when their own validity had ended: those stood before all of the request.
fn seen_late<'h, 'a>(by_grant: &'h [Hold<'a>]) -> Vec<Pair<'h, 'a>> {
    let mut late: Vec<_> =
        by_grant.iter().filter(|hold| !hold.is_trusted_at(hold.granted)).collect();
    late.sort_unstable_by_key(|hold| (hold.requested, hold.acquire.id));
    let mut seen = by_grant.iter().peekable();
    let mut standing: EndingLast<AttemptId, &Hold<'_>> = EndingLast::default();
    let mut pairs = Vec::new();
    for later in late {
        while let Some(hold) = seen.next_if(|hold| hold.granted <= later.requested) {
            standing.add(hold.trusted_until, hold.acquire.attempt, hold);
        }
        let all_of_it = |end: &Instant| *end >= later.granted;
        let earlier = standing.not_of(later.acquire.attempt).filter(|(end, _)| all_of_it(end));
        pairs.extend(earlier.map(|(_, earlier)| Pair { earlier, later }));
    }
    pairs
}

impl Pair<'_, '_> {
    fn describe(&self) -> Anomaly {
        let Self { earlier, later } = self;
        let slot = later.acquire.slot;
        let until = if earlier.trusted_until == Instant::FAR_FUTURE {
            "had no end".to_owned()
        } else {
            format!("stood until {}", earlier.trusted_until)
        };
        Anomaly {
            kind: kinds::OVERLAPPING_GRANTS.to_owned(),
            slot,
            count: 1,
            sentence: format!(
                "the lock of {slot} was granted to {} by {} although its grant to {} of {} {until}",
                later.holder(),
                later.granted,
                earlier.holder(),
                earlier.granted,
            ),
            witness: words::witness([earlier.acquire.id, earlier.last.id, later.acquire.id]),
        }
    }
}

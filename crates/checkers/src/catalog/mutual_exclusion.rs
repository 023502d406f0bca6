//! No two holders inside the critical section of one slot.
//!
//! For a plain mutex no search is needed: holds sorted by their grant, and for each the holds before it that
//! end last. Each grant is judged once, by the worst that can be said of it:
//!
//! ```text
//!   A  |======= trusted =======|~~~ still inside ~~~|
//!   B            |===                                   inside-validity: the lock granted it twice
//!   C                                |===               overrun: A outlived its lease
//! ```
//!
//! Intervals are closed. Unknown acquires are dropped, unknown releases end at their invocation.

use lockproof_model::{Anomaly, Evidence, Finding, HolderId, Layer};

use super::CheckerEntry;
use crate::ending_last::EndingLast;
use crate::hold::Hold;
use crate::passage::Passages;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "mutual-exclusion",
    summary: "no two holders are inside the critical section of one slot",
    layer: Layer::Belief,
    checker: &MutualExclusion,
};

#[derive(Debug)]
struct MutualExclusion;

impl Checker for MutualExclusion {
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

        let slots = holds.chunk_by(|a, b| a.acquire.slot == b.acquire.slot);
        let mut conflicts: Vec<_> = slots.flat_map(conflicts_on).collect();
        conflicts
            .sort_unstable_by_key(|conflict| (conflict.later.granted, conflict.later.acquire.id));

        Finding::from_anomalies(
            ENTRY.name,
            ENTRY.layer,
            words::listed(&conflicts, Conflict::describe),
        )
    }
}

/// A grant that came while another holder was inside.
#[derive(Clone, Copy, Debug)]
struct Conflict<'h, 'a> {
    earlier: &'h Hold<'a>,
    later: &'h Hold<'a>,
    kind: &'static str,
}

/// The conflicts among the holds of one slot, which are in the order of their grants.
fn conflicts_on<'h, 'a>(holds: &'h [Hold<'a>]) -> Vec<Conflict<'h, 'a>> {
    let mut trusted: EndingLast<HolderId, &Hold<'_>> = EndingLast::default();
    let mut inside: EndingLast<HolderId, &Hold<'_>> = EndingLast::default();
    let mut conflicts = Vec::new();
    for later in holds {
        let at = later.granted;
        let holder = later.holder();
        let promised =
            trusted.not_of(holder).filter(|(end, _)| *end >= at && later.is_trusted_at(at));
        let acting = inside.not_of(holder).filter(|(end, _)| *end >= at);
        if let Some((_, earlier)) = promised {
            conflicts.push(Conflict { earlier, later, kind: kinds::INSIDE_VALIDITY });
        } else if let Some((_, earlier)) = acting {
            conflicts.push(Conflict { earlier, later, kind: kinds::OVERRUN });
        }
        trusted.add(later.trusted_until, holder, later);
        inside.add(later.inside_until, holder, later);
    }
    conflicts
}

impl Conflict<'_, '_> {
    fn describe(&self) -> Anomaly {
        let Self { earlier, later, kind } = *self;
        let operations = [earlier.acquire.id, earlier.last.id, later.acquire.id];
        Anomaly {
            kind: kind.to_owned(),
            slot: later.acquire.slot,
            count: 1,
            sentence: if kind == kinds::INSIDE_VALIDITY {
                self.twice_granted()
            } else {
                self.overrun()
            },
            witness: words::witness(operations),
        }
    }

    fn twice_granted(&self) -> String {
        let Self { earlier, later, .. } = self;
        let end = earlier.trusted_until.min(later.trusted_until);
        format!(
            "{} was granted to {} while {} held it: both were inside their validity for {}",
            later.acquire.slot,
            later.holder(),
            earlier.holder(),
            words::duration(end.saturating_since(later.granted)),
        )
    }

    fn overrun(&self) -> String {
        let Self { earlier, later, .. } = self;
        if earlier.trusted_until >= later.granted {
            // Only then is the later holder the one without a promise.
            return format!(
                "{} saw its grant {} after that lease had ended, while {} held {}",
                later.holder(),
                words::duration(later.granted.saturating_since(later.valid_until)),
                earlier.holder(),
                later.acquire.slot,
            );
        }
        format!(
            "{} went on for {} after its lease had ended at {}, while {} held {} from {}",
            earlier.holder(),
            words::duration(earlier.inside_until.saturating_since(earlier.valid_until)),
            earlier.valid_until,
            later.holder(),
            later.acquire.slot,
            later.granted,
        )
    }
}

//! `mutual-exclusion` against a comparison of all pairs, which is slow and obviously right.

use lockproof_checkers::kinds;
use lockproof_model::{Effect, HolderId, Instant, Operation, OperationId, SlotId, Step};
use proptest::prelude::*;

use crate::builder::{Finished, Run};

/// One hold as a test draws it: holder, slot, gap before it, time to the grant, validity, use, and whether it
/// is released.
type Drawn = (u32, u32, u64, u64, u64, u64, bool);

proptest! {
    #[test]
    fn agrees_with_a_comparison_of_all_pairs(drawn in prop::collection::vec(drawn(), 0..40)) {
        let run = played(&drawn);
        let finding = run.judge("mutual-exclusion");

        let found: Vec<_> = finding
            .anomalies
            .iter()
            .map(|anomaly| (later_grant(&run, &anomaly.witness), anomaly.kind.clone()))
            .collect();
        prop_assert_eq!(sorted(found), sorted(all_pairs(&run)));
        for anomaly in &finding.anomalies {
            let (a, b) = parties(&run, &anomaly.witness);
            prop_assert_eq!(between(&a, &b), Some(anomaly.kind.as_str()), "{:?}", anomaly);
        }
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (1..5_u32, 1..3_u32, 0..20_u64, 1..15_u64, 1..30_u64, 0..40_u64, any::<bool>())
}

/// Holders one after another, each with one thing at a time.
fn played(drawn: &[Drawn]) -> Finished {
    let mut run = Run::with_capacity(1);
    let mut clocks = [0; 5];
    for &(holder, slot, gap, answer, validity, used, is_released) in drawn {
        let clock = &mut clocks[usize::try_from(holder).expect("few holders")];
        let from = *clock + gap;
        let granted = from + answer;
        let end = granted + used;
        let attempt = run.attempt(holder, slot).acquire(from, granted, from + validity);
        let attempt = attempt.check(granted, end, 0);
        if is_released {
            attempt.release(end, end + 1);
        }
        *clock = end + 2;
    }
    run.finish()
}

#[derive(Clone, Debug)]
struct Interval {
    id: OperationId,
    holder: HolderId,
    slot: SlotId,
    from: Instant,
    trusted: Instant,
    inside: Instant,
}

fn intervals(run: &Finished) -> Vec<Interval> {
    let operations = &run.history.operations;
    let of = |acquire: &Operation| {
        let Some(Effect::Granted { valid_until, .. }) = acquire.outcome.effect() else {
            return None;
        };
        let own =
            |step| operations.iter().find(move |o| o.attempt == acquire.attempt && o.step == step);
        let release = own(Step::Release).map(|release| release.invoked);
        Some(Interval {
            id: acquire.id,
            holder: acquire.holder,
            slot: acquire.slot,
            from: acquire.completed.expect("granted"),
            trusted: release.map_or(*valid_until, |release| release.min(*valid_until)),
            inside: release.unwrap_or_else(|| {
                own(Step::Check).and_then(|check| check.completed).expect("checked")
            }),
        })
    };
    operations.iter().filter_map(of).collect()
}

/// What two holds are to each other; `a` was granted first.
fn between(a: &Interval, b: &Interval) -> Option<&'static str> {
    if a.holder == b.holder || a.slot != b.slot {
        return None;
    }
    if b.from <= a.trusted && b.from <= b.trusted {
        return Some(kinds::INSIDE_VALIDITY);
    }
    (b.from <= a.inside).then_some(kinds::OVERRUN)
}

fn all_pairs(run: &Finished) -> Vec<(OperationId, String)> {
    let all = intervals(run);
    let worst_of = |later: &Interval| {
        let earlier =
            all.iter().filter(|earlier| (earlier.from, earlier.id) < (later.from, later.id));
        let kinds: Vec<_> = earlier.filter_map(|earlier| between(earlier, later)).collect();
        let worst = kinds.iter().find(|kind| **kind == kinds::INSIDE_VALIDITY).or(kinds.first());
        worst.map(|kind| (later.id, (*kind).to_owned()))
    };
    all.iter().filter_map(worst_of).collect()
}

/// The two holds that a witness speaks of, in the order of their grants.
fn parties(run: &Finished, witness: &[OperationId]) -> (Interval, Interval) {
    let mut named: Vec<_> =
        intervals(run).into_iter().filter(|interval| witness.contains(&interval.id)).collect();
    named.sort_by_key(|interval| (interval.from, interval.id));
    assert_eq!(named.len(), 2, "a witness names two grants");
    (named[0].clone(), named[1].clone())
}

fn later_grant(run: &Finished, witness: &[OperationId]) -> OperationId {
    parties(run, witness).1.id
}

fn sorted(mut found: Vec<(OperationId, String)>) -> Vec<(OperationId, String)> {
    found.sort();
    found
}

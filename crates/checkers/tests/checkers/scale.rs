//! Sizes at which comparing all pairs would not end. No timing is asserted: a test that hangs is seen.

use lockproof_checkers::{ENTRIES, judge_all};
use lockproof_model::Verdict;

use crate::builder::{Finished, Run};

/// 20,000 attempts of five operations on one slot. `stride_ms` below 10 makes neighbours overlap.
fn crowd(stride_ms: u64) -> Finished {
    let mut run = Run::with_capacity(20_000);
    for number in 0..20_000_u32 {
        let from = u64::from(number) * stride_ms;
        run.attempt(number % 64 + 1, 1)
            .acquire_with_token(from, from + 1, u64::from(number) + 1)
            .check(from + 2, from + 3, number)
            .insert(from + 4, from + 5)
            .commit(from + 6, from + 7)
            .release(from + 8, from + 9);
    }
    run.finish()
}

fn verdicts(run: &Finished) -> Vec<Verdict> {
    let findings = judge_all(&run.evidence(), ENTRIES.iter().map(|entry| entry.checker));
    findings.iter().map(|finding| finding.verdict).collect()
}

#[test]
fn a_hundred_thousand_operations_in_order_are_accepted() {
    assert_eq!(verdicts(&crowd(10)), [Verdict::Valid; 10]);
}

#[test]
fn a_hundred_thousand_operations_on_one_slot_at_once_are_judged() {
    let run = crowd(0);
    let of_locks = ENTRIES.iter().map(|entry| match entry.name {
        "mutual-exclusion" | "overlapping-grants" => Verdict::Violated,
        _ => Verdict::Valid,
    });
    assert_eq!(verdicts(&run), of_locks.collect::<Vec<_>>());
}

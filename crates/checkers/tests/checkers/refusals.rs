use lockproof_checkers::kinds;
use lockproof_model::{Step, Verdict};
use proptest::prelude::*;

use crate::builder::Run;

const CHECKER: &str = "refusals";

#[test]
fn accepts_a_refusal_while_somebody_holds_the_lock_or_its_lease_stands() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 10, 300).release(20, 25);
    run.attempt(2, 1).held(5, 6);
    run.attempt(3, 1).held(25, 26);
    // Nobody gave this one back.
    run.attempt(4, 1).acquire(30, 31, 330).check(32, 33, 0);
    run.attempt(5, 1).held(340, 341);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_refusal_after_the_release_was_answered() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    run.attempt(2, 1).held(26, 30);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::UNEXPLAINED_REFUSAL);
    assert_eq!(
        anomaly.sentence,
        "holder 2 was told at 0.030 that the lock of slot 1 is held, and nobody held it: what holder 1 had asked for was over 1 ms before it asked"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        ["holder 1 acquire", "holder 1 release", "holder 2 acquire"]
    );
}

#[test]
fn rejects_a_refusal_of_a_lock_that_nobody_has_asked_for() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 2).acquire(0, 1, 300).release(20, 25);
    run.attempt(2, 1).held(5, 6);
    assert!(
        run.finish().judge(CHECKER).anomalies[0]
            .sentence
            .ends_with("nobody had asked for it before")
    );
}

#[test]
fn rejects_a_refusal_long_after_the_lease_has_ended() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0);
    run.attempt(2, 1).held(600, 601);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Violated);
}

#[test]
fn contenders_explain_each_other_and_so_does_an_acquire_of_which_nobody_knows() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).held(0, 10);
    run.attempt(2, 1).held(5, 15);
    run.attempt(3, 2).unanswered(Step::Acquire, 0);
    run.attempt(4, 2).held(100, 101);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

proptest! {
    #[test]
    fn agrees_with_a_comparison_of_all_pairs(
        drawn in prop::collection::vec((0..200_u64, 1..20_u64, 0..30_u64, any::<bool>()), 1..30),
    ) {
        // Grants that are released after so long, and refusals, on one lock; a refusal is an interval alone.
        let mut run = Run::with_capacity(1);
        let mut busy = Vec::new();
        let mut refused = Vec::new();
        for (place, &(from, answer, held, is_granted)) in drawn.iter().enumerate() {
            let holder = u32::try_from(place + 1).unwrap();
            let to = from + answer;
            if is_granted {
                run.attempt(holder, 1).acquire(from, to, 100_000).release(to + held, to + held + 1);
                busy.push((place, from, to + held + 1));
            } else {
                run.attempt(holder, 1).held(from, to);
                busy.push((place, from, to));
                refused.push((place, from, to));
            }
        }
        let lies = refused.iter().filter(|(place, from, to)| {
            busy.iter().all(|(other, begin, end)| other == place || begin > to || end < from)
        });
        let found = run.finish().judge(CHECKER).anomalies.len();
        prop_assert_eq!(found, lies.count());
    }
}

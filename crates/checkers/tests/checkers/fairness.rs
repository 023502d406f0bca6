use lockproof_checkers::kinds;
use lockproof_model::Verdict;

use crate::builder::{Finished, Run};

const CHECKER: &str = "fairness";

/// Rounds in which holders 1 and 2 ask together. `wins` says in which the second is granted the lock.
fn rounds(count: u64, wins: impl Fn(u64) -> bool) -> Finished {
    let mut run = Run::with_capacity(1);
    for round in 0..count {
        let from = round * 10;
        let (winner, loser) = if wins(round) { (2, 1) } else { (1, 2) };
        run.attempt(winner, 1).acquire(from, from + 2, from + 300).release(from + 5, from + 6);
        run.attempt(loser, 1).held(from + 1, from + 3);
    }
    run.finish()
}

#[test]
fn accepts_two_that_take_turns_and_one_whose_luck_is_bad() {
    assert_eq!(rounds(200, |round| round % 2 == 0).judge(CHECKER).verdict, Verdict::Valid);
    assert_eq!(rounds(200, |round| round % 3 == 0).judge(CHECKER).verdict, Verdict::Valid);
    assert_eq!(rounds(20, |_| false).judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_lock_that_never_grants_it_to_one_of_them() {
    let run = rounds(50, |_| false);
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::STARVED);
    assert_eq!(
        anomaly.sentence,
        "holder 2 was granted a lock never in 50 rounds in which it asked together with others, where 25 would have been its share"
    );
    assert_eq!(run.names(&anomaly.witness), ["holder 1 acquire", "holder 2 acquire"]);
}

#[test]
fn rejects_a_lock_that_grants_it_to_one_of_them_far_too_rarely() {
    let finding = rounds(200, |round| round % 10 == 0).judge(CHECKER);
    assert_eq!(finding.anomalies[0].kind, kinds::UNFAIR);
    assert!(finding.anomalies[0].sentence.contains("20 times in 200 rounds"), "{finding:#?}");
}

#[test]
fn who_never_asks_together_with_others_is_not_starved_by_them() {
    let mut run = Run::with_capacity(1);
    for round in 0..100 {
        let from = round * 10;
        run.attempt(1, 1).acquire(from, from + 2, from + 300).release(from + 3, from + 4);
        run.attempt(2, 1).held(from + 5, from + 6);
    }
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

use lockproof_checkers::kinds;
use lockproof_model::{AttemptResult, Step, Verdict};

use crate::builder::Run;

const CHECKER: &str = "orphaned-locks";
/// The owner value of the first attempt.
const FIRST: &str = "00000000000000000000000000000001";

#[test]
fn accepts_servers_that_are_empty_in_the_end() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_lock_that_its_holder_did_not_give_back() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0);
    run.left(1, FIRST);
    let run = run.finish();
    let finding = run.judge(CHECKER);
    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::ORPHANED_LOCK);
    assert_eq!(
        anomaly.sentence,
        "the lock of slot 1 still stands on redis-1 when everybody has stopped: holder 1 was granted it and did not give it back"
    );
    assert_eq!(run.names(&anomaly.witness), ["holder 1 acquire"]);
}

#[test]
fn rejects_a_lock_whose_release_was_answered_and_undone() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    run.left(1, FIRST);
    let run = run.finish();
    let finding = run.judge(CHECKER);
    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::RELEASE_UNDONE);
    assert!(anomaly.sentence.ends_with("holder 1 gave it back and was answered"));
    assert_eq!(run.names(&anomaly.witness), ["holder 1 acquire", "holder 1 release"]);
}

#[test]
fn rejects_a_lock_whose_grant_nobody_has_seen() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    run.left(1, "somebody");
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.verdict, Verdict::Violated);
    let sentence = &finding.anomalies[0].sentence;
    assert!(
        sentence.ends_with("nobody knows that it was granted, and nobody withdrew it"),
        "{sentence}"
    );
}

#[test]
fn does_not_judge_what_a_holder_that_died_has_left() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).unanswered(Step::Check, 3);
    run.left(1, FIRST);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn does_not_judge_what_a_holder_left_that_died_between_two_operations() {
    let mut run = Run::with_capacity(1);
    // Withdrawing this one in the background …
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    // … when it died in another.
    run.attempt(1, 2).acquire(30, 31, 330).result(AttemptResult::death());
    run.left(1, FIRST);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_lock_without_an_end_though_its_holder_died() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).unanswered(Step::Acquire, 3);
    run.left_for_ever(1, FIRST);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.verdict, Verdict::Violated);
    assert_eq!(finding.anomalies[0].kind, kinds::IMMORTAL_LOCK);
    assert!(finding.anomalies[0].sentence.ends_with("and it has no TTL"));
}

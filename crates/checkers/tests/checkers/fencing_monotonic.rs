use lockproof_checkers::kinds;
use lockproof_model::Verdict;

use crate::builder::Run;

const CHECKER: &str = "fencing-monotonic";

#[test]
fn accepts_tokens_that_increase_and_those_of_other_slots() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_with_token(0, 1, 7).release(2, 3);
    run.attempt(2, 1).acquire_with_token(4, 5, 9).release(6, 7);
    run.attempt(3, 2).acquire_with_token(8, 9, 7).release(10, 11);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_token_that_went_back() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_with_token(0, 1, 9).release(2, 3);
    run.attempt(2, 1).acquire_with_token(4, 5, 10).release(6, 7);
    run.attempt(3, 1).acquire_with_token(8, 9, 8).release(10, 11);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::TOKEN_WENT_BACK);
    assert_eq!(
        anomaly.sentence,
        "holder 3 drew fencing token 8 for slot 1 after holder 2 had drawn 10"
    );
    assert_eq!(run.names(&anomaly.witness), ["holder 2 acquire", "holder 3 acquire"]);
}

#[test]
fn rejects_a_token_drawn_twice_even_at_the_same_time() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_with_token(0, 10, 7).release(12, 13);
    run.attempt(2, 1).acquire_with_token(5, 15, 7).release(16, 17);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.anomalies.len(), 1);
    assert_eq!(finding.anomalies[0].kind, kinds::TOKEN_REPEATED);
    assert_eq!(
        finding.anomalies[0].sentence,
        "fencing token 7 was drawn by holder 1 and again by holder 2 for slot 1"
    );
}

#[test]
fn grants_that_overlap_in_time_may_come_in_either_order() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_with_token(0, 10, 8).release(12, 13);
    run.attempt(2, 1).acquire_with_token(10, 15, 7).release(16, 17);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn a_lock_without_tokens_breaks_no_order() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(2, 3);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

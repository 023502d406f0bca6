use lockproof_checkers::kinds;
use lockproof_model::Verdict;

use crate::builder::Run;

const CHECKER: &str = "availability";

/// One booking before the fault, one that begins to ask at 200 and is granted the lock at `granted`.
fn waiting_until(granted: u64) -> Run {
    let mut run = Run::with_capacity(1);
    run.fault(None, "partition", 50, 150);
    run.attempt(1, 1).open(0, 8).acquire(0, 1, 100).check(2, 3, 0).release(7, 8);
    run.attempt(2, 1)
        .open(200, granted + 20)
        .acquire(200, granted, granted + 100)
        .check(granted + 1, granted + 2, 0)
        .release(granted + 19, granted + 20);
    run
}

#[test]
fn accepts_a_wait_that_leases_explain() {
    assert_eq!(waiting_until(350).finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_wait_that_is_longer_than_two_leases_after_everything_was_healed() {
    let mut run = Run::with_capacity(1);
    run.fault(None, "partition", 50, 150);
    run.attempt(1, 1).open(0, 8).acquire(0, 1, 100).check(2, 3, 0).release(7, 8);
    run.attempt(2, 1).open(200, 520).held(200, 520);
    run.attempt(3, 2).open(510, 560).acquire(510, 511, 610).release(559, 560);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::UNAVAILABLE);
    assert_eq!(
        anomaly.sentence,
        "nobody got anywhere for 311 ms from 0.200 on, though everything was healed by 0.150 and no lease lasts longer than 100 ms"
    );
    assert_eq!(run.names(&anomaly.witness), ["holder 3 acquire"]);
}

#[test]
fn nothing_is_missing_before_the_heal_where_nobody_asks_and_while_somebody_works() {
    let mut run = Run::with_capacity(1);
    run.fault(None, "partition", 50, 450);
    run.attempt(1, 1).open(0, 460).acquire(0, 1, 100).held(20, 450);
    // Nobody asks from 460 on.
    run.attempt(2, 1)
        .open(2000, 3000)
        .acquire(2000, 2001, 2101)
        .work(2002, 2990)
        .release(2991, 3000);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn without_a_fault_or_a_lease_there_is_no_measure() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).open(0, 5000).acquire(0, 1, 100).held(200, 5000);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
    let mut run = Run::with_capacity(1);
    run.fault(None, "partition", 1, 2);
    run.attempt(1, 1).open(0, 5000).acquire_unbounded(0, 1).held(200, 5000);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

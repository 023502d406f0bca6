use lockproof_checkers::kinds;
use lockproof_model::{Step, Verdict};

use crate::builder::Run;

const CHECKER: &str = "overlapping-grants";

#[test]
fn accepts_grants_that_follow_each_other_by_release_or_by_ttl() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 25);
    run.attempt(2, 1).acquire(18, 22, 318);
    run.attempt(3, 1).acquire(300, 319, 618).release(400, 401);
    run.attempt(4, 2).acquire(0, 1, 300).release(40, 41);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_a_grant_while_another_stands_as_the_locks_fault() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(50, 51);
    run.attempt(2, 1).acquire(19, 20, 320).release(40, 41);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::OVERLAPPING_GRANTS);
    assert_eq!(
        anomaly.sentence,
        "the lock of slot 1 was granted to holder 2 by 0.020 although its grant to holder 1 of 0.001 stood until 0.050"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        ["holder 1 acquire", "holder 2 acquire", "holder 1 release"]
    );
}

#[test]
fn a_holder_that_outlives_its_lease_is_not_the_locks_fault() {
    let run = crate::duplicate_bookings::paused_past_its_lease().finish();
    assert_eq!(run.judge(CHECKER).verdict, Verdict::Valid);
    assert_eq!(run.judge("mutual-exclusion").verdict, Verdict::Violated);
}

#[test]
fn one_holder_that_is_granted_it_twice_is_seen_here_and_nowhere_else() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_unbounded(0, 1).check(2, 3, 0).unanswered(Step::Work, 90);
    run.attempt(1, 1).acquire_unbounded(19, 20).release(40, 41);
    let run = run.finish();
    assert_eq!(run.judge(CHECKER).anomalies[0].kind, kinds::OVERLAPPING_GRANTS);
    assert_eq!(run.judge("mutual-exclusion").verdict, Verdict::Valid);
}

#[test]
fn a_grant_seen_too_late_counts_where_all_of_its_request_lies_within_the_other() {
    for (requested, verdict) in [(10, Verdict::Violated), (0, Verdict::Valid)] {
        let mut run = Run::with_capacity(1);
        run.attempt(1, 1).acquire(0, 5, 900).release(800, 801);
        run.attempt(2, 1).acquire(requested, 400, 300).release(410, 411);
        assert_eq!(run.finish().judge(CHECKER).verdict, verdict, "requested at {requested}");
    }
}

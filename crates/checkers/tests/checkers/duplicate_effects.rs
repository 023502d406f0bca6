use lockproof_checkers::kinds;
use lockproof_model::{Refusal, Step, Verdict};

use crate::builder::Run;

const CHECKER: &str = "duplicate-effects";

#[test]
fn accepts_as_many_as_there_is_room_for() {
    let mut run = Run::with_capacity(2);
    run.attempt(1, 1).check(0, 1, 0).insert(2, 3).commit(4, 5).notify(6, 7);
    run.attempt(2, 1).check(10, 11, 1).insert(12, 13).commit(14, 15).notify(16, 17);
    run.attempt(3, 2).check(10, 11, 1).insert(12, 13).commit(14, 15).notify(16, 17);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.verdict, Verdict::Valid);
}

/// The schedule of failure mode F58: the table is right, and two customers were told.
#[test]
fn rejects_what_was_sent_before_the_guard_refused_the_write() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 100).check(2, 3, 0).notify(200, 201).refused_insert(
        202,
        203,
        Refusal::Fenced,
    );
    let second = run.attempt(2, 1).acquire(110, 111, 300).check(112, 113, 0);
    second.notify(114, 115).insert(116, 117).commit(118, 119);
    let run = run.finish();
    assert_eq!(run.judge("duplicate-bookings").verdict, Verdict::Valid);
    let finding = run.judge(CHECKER);
    assert_eq!(finding.verdict, Verdict::Violated);
    let anomaly = &finding.anomalies[0];
    assert_eq!((anomaly.kind.as_str(), anomaly.count), (kinds::DUPLICATE_EFFECT, 1));
    assert_eq!(
        anomaly.sentence,
        "customers were told twice that slot 1 is theirs, at last by holder 1"
    );
    assert_eq!(run.names(&anomaly.witness), ["holder 2 notify", "holder 1 notify"]);
}

#[test]
fn what_nobody_saw_the_end_of_counts_as_sent() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).check(0, 1, 0).unanswered(Step::Notify, 2);
    run.attempt(2, 1).check(10, 11, 0).notify(12, 13).insert(14, 15).commit(16, 17);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Violated);
}

#[test]
fn a_booking_too_many_is_the_tables_anomaly_and_not_that_of_its_e_mail() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).check(0, 1, 0).insert(2, 3).commit(4, 5).notify(6, 7);
    run.attempt(2, 1).check(0, 1, 0).insert(2, 3).commit(4, 5).notify(6, 7);
    let run = run.finish();
    assert_eq!(run.judge(CHECKER).verdict, Verdict::Valid);
    assert_eq!(run.judge("duplicate-bookings").verdict, Verdict::Violated);
}

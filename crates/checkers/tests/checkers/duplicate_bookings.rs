use lockproof_checkers::{duplicates, kinds};
use lockproof_model::{AttemptResult, BookingId, Step, Verdict};

use crate::builder::Run;

const CHECKER: &str = "duplicate-bookings";

/// The schedule of failure mode F01.
pub(crate) fn paused_past_its_lease() -> Run {
    let mut run = Run::with_capacity(1);
    run.attempt(3, 3)
        .acquire(4010, 4012, 4312)
        .check(4018, 4020, 0)
        .insert(4520, 4521)
        .commit(4521, 4524)
        .release(4525, 4526);
    run.attempt(8, 3)
        .acquire(4313, 4315, 4615)
        .check(4316, 4318, 0)
        .insert(4341, 4342)
        .commit(4342, 4344)
        .release(4345, 4346);
    run.fault(Some(3), "pause-holder", 4020, 4520);
    run
}

#[test]
fn accepts_a_slot_that_is_sold_up_to_its_capacity() {
    let mut run = Run::with_capacity(2);
    run.attempt(1, 1).acquire(0, 1, 100).check(2, 3, 0).insert(4, 5).commit(6, 7).release(8, 9);
    run.attempt(2, 1).acquire(10, 11, 110).check(12, 13, 1).insert(14, 15).commit(16, 17);
    let finding = run.finish().judge(CHECKER);

    assert_eq!(finding.verdict, Verdict::Valid);
    assert_eq!(duplicates(&finding), 0);
}

#[test]
fn rejects_a_slot_sold_twice_and_names_the_lease_that_ended() {
    let run = paused_past_its_lease().finish();
    let finding = run.judge(CHECKER);

    assert_eq!(finding.verdict, Verdict::Violated);
    assert_eq!(duplicates(&finding), 1);
    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::DUPLICATE_BOOKING);
    assert_eq!(
        anomaly.sentence,
        "slot 3 sold twice: holder 3's lease ended 208 ms before it wrote"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        [
            "holder 3 acquire",
            "holder 3 check",
            "holder 8 acquire",
            "holder 8 check",
            "holder 8 insert",
            "holder 8 commit",
            "holder 3 insert",
            "holder 3 commit",
        ]
    );
}

#[test]
fn finds_the_late_writer_also_when_its_row_came_first() {
    let mut run = Run::with_capacity(1);
    run.attempt(3, 3).acquire(0, 1, 300).check(2, 3, 0).insert(320, 321).commit(322, 323);
    run.attempt(8, 3).acquire(305, 306, 600).check(307, 308, 0).insert(330, 331).commit(332, 333);

    let finding = run.finish().judge(CHECKER);
    let sentence = &finding.anomalies[0].sentence;
    assert_eq!(sentence, "slot 3 sold twice: holder 3's lease ended 20 ms before it wrote");
}

#[test]
fn says_when_the_lease_ended_under_the_commit() {
    let mut run = Run::with_capacity(1);
    run.attempt(3, 3).acquire(0, 1, 300).check(2, 3, 0).insert(290, 291).commit(292, 500);
    run.attempt(8, 3).acquire(305, 306, 600).check(307, 308, 0).insert(330, 331).commit(332, 333);

    let finding = run.finish().judge(CHECKER);
    let sentence = &finding.anomalies[0].sentence;
    assert_eq!(
        sentence,
        "slot 3 sold twice: holder 3's lease ended while its commit was under way"
    );
}

#[test]
fn says_that_nothing_kept_two_holders_apart() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5)
        .acquire_unbounded(0, 1)
        .check(2, 3, 0)
        .insert(20, 21)
        .commit(22, 23)
        .release(24, 25);
    run.attempt(2, 5)
        .acquire_unbounded(3, 4)
        .check(5, 6, 0)
        .insert(25, 26)
        .commit(27, 28)
        .release(29, 30);
    run.attempt(3, 5)
        .acquire_unbounded(4, 5)
        .check(6, 7, 0)
        .insert(30, 31)
        .commit(32, 33)
        .release(34, 35);

    let finding = run.finish().judge(CHECKER);
    assert_eq!(duplicates(&finding), 2);
    assert_eq!(
        finding.anomalies[0].sentence,
        "slot 5 sold 3 times: nothing kept holder 1 and holder 2 apart, both inside for 20 ms"
    );
}

#[test]
fn says_that_a_writer_held_no_lock() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5)
        .acquire(0, 1, 300)
        .check(2, 3, 0)
        .insert(20, 21)
        .commit(22, 23)
        .release(24, 25);
    run.attempt(2, 5).check(5, 6, 0).insert(25, 26).commit(27, 28);

    let finding = run.finish().judge(CHECKER);
    let sentence = &finding.anomalies[0].sentence;
    assert_eq!(sentence, "slot 5 sold twice: holder 2 wrote without holding the lock");
}

#[test]
fn says_that_a_lock_was_released_before_the_commit() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).check(2, 3, 0).insert(4, 5).release(6, 7).commit(20, 21);
    run.attempt(2, 5)
        .acquire(8, 9, 308)
        .check(10, 11, 0)
        .insert(12, 13)
        .commit(14, 15)
        .release(16, 17);

    let finding = run.finish().judge(CHECKER);
    let sentence = &finding.anomalies[0].sentence;
    assert_eq!(sentence, "slot 5 sold twice: holder 1 released the lock before its row stood");
}

#[test]
fn says_that_a_check_read_too_little() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).check(2, 3, 0).insert(4, 5).commit(6, 7).release(8, 9);
    run.attempt(2, 5)
        .acquire(10, 11, 310)
        .check(12, 13, 0)
        .insert(14, 15)
        .commit(16, 17)
        .release(18, 19);

    let finding = run.finish().judge(CHECKER);
    let sentence = &finding.anomalies[0].sentence;
    assert_eq!(
        sentence,
        "slot 5 sold twice: holder 2's check saw 0 of 1 bookings that stood before it"
    );
}

#[test]
fn counts_a_second_row_of_one_attempt_as_a_double_write_too() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).check(2, 3, 0).insert(4, 5).commit(6, 7).row();
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let kinds: Vec<_> = finding.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect();
    assert_eq!(kinds, [kinds::DUPLICATE_BOOKING, kinds::DOUBLE_WRITE]);
    assert_eq!(
        finding.anomalies[0].sentence,
        "slot 5 sold twice: holder 1 wrote more than one row for one attempt"
    );
    assert_eq!(finding.anomalies[1].sentence, "attempt 1 of holder 1 stands in 2 rows of slot 5");
    assert_eq!(duplicates(&finding), 1);
}

#[test]
fn rejects_an_acknowledged_booking_that_is_gone() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5)
        .acquire(0, 1, 300)
        .insert(4, 5)
        .result(AttemptResult::Booked { booking: BookingId(1) });
    let run = run.finish();
    let finding = run.judge(CHECKER);

    assert_eq!(finding.anomalies[0].kind, kinds::LOST_BOOKING);
    assert_eq!(
        finding.anomalies[0].sentence,
        "attempt 1 of holder 1 was told that slot 5 is booked, and no row says so"
    );
    assert_eq!(run.names(&finding.anomalies[0].witness), ["holder 1 insert"]);
    assert_eq!(duplicates(&finding), 0);
}

#[test]
fn rejects_a_booking_that_was_certainly_refused() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).insert(4, 5).row().refused();
    run.attempt(2, 6)
        .acquire(0, 1, 300)
        .insert(6, 7)
        .row()
        .result(AttemptResult::Failed { error: "disk full".to_owned() });
    let finding = run.finish().judge(CHECKER);

    let sentences: Vec<_> = finding.anomalies.iter().map(|a| a.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "attempt 1 of holder 1 was refused (fenced), yet its booking of slot 5 stands",
            "attempt 2 of holder 2 was told that it failed (disk full), yet its booking of slot 6 stands",
        ]
    );
    assert_eq!(finding.anomalies[0].kind, kinds::PHANTOM_BOOKING);
}

#[test]
fn lets_the_table_settle_what_nobody_knew() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).insert(4, 5).unanswered(Step::Commit, 6).row();
    run.attempt(2, 6).acquire(0, 1, 300).insert(4, 5).unanswered(Step::Commit, 6);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn a_slot_that_does_not_exist_cannot_be_sold() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 77).acquire(0, 1, 300).check(2, 3, 0).insert(4, 5).commit(6, 7);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(
        finding.anomalies[0].sentence,
        "slot 77 sold once with a capacity of 0: the history does not show why"
    );
}

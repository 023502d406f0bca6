use lockproof_checkers::kinds;
use lockproof_model::{Step, Verdict};

use crate::builder::Run;
use crate::duplicate_bookings::paused_past_its_lease;

const CHECKER: &str = "mutual-exclusion";

#[test]
fn accepts_holds_that_follow_each_other() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0).release(20, 25);
    run.attempt(2, 1).acquire(18, 22, 318).check(23, 24, 0).release(30, 31);
    run.attempt(3, 2).acquire(0, 1, 300).check(2, 3, 0).release(40, 41);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn rejects_two_grants_inside_one_validity_as_the_locks_fault() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0).release(50, 51);
    run.attempt(2, 1).acquire(19, 20, 320).check(21, 22, 0).release(40, 41);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::INSIDE_VALIDITY);
    assert_eq!(
        anomaly.sentence,
        "slot 1 was granted to holder 2 while holder 1 held it: both were inside their validity for 20 ms"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        ["holder 1 acquire", "holder 2 acquire", "holder 1 release"]
    );
}

#[test]
fn rejects_a_holder_that_outlived_its_lease_as_an_overrun() {
    let run = paused_past_its_lease().finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::OVERRUN);
    assert_eq!(
        anomaly.sentence,
        "holder 3 went on for 213 ms after its lease had ended at 4.312, while holder 8 held slot 3 from 4.315"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        ["holder 3 acquire", "holder 8 acquire", "holder 3 release"]
    );
}

#[test]
fn intervals_are_closed_so_that_touching_is_overlapping() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).release(20, 21);
    run.attempt(2, 1).acquire(5, 20, 305).release(30, 31);
    assert_eq!(run.finish().judge(CHECKER).anomalies[0].kind, kinds::INSIDE_VALIDITY);
}

#[test]
fn an_overrun_that_nobody_met_is_none() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0).release(500, 501);
    run.attempt(2, 1).acquire(502, 503, 802).release(510, 511);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn a_grant_seen_after_its_own_lease_ended_is_an_overrun() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 400, 300).check(401, 402, 0).release(410, 411);
    run.attempt(2, 1).acquire(305, 306, 605).check(307, 308, 0).release(500, 501);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.anomalies[0].kind, kinds::OVERRUN);
    assert_eq!(
        finding.anomalies[0].sentence,
        "holder 1 saw its grant 100 ms after that lease had ended, while holder 2 held slot 1"
    );
}

#[test]
fn unknown_acquires_are_dropped_and_unknown_releases_end_at_their_invocation() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).unanswered(Step::Release, 20);
    run.attempt(2, 1).unanswered(Step::Acquire, 22);
    run.attempt(3, 1).acquire(25, 26, 325).release(30, 31);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn a_bounded_grant_stands_to_its_end_when_it_is_never_released() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).check(2, 3, 0);
    run.attempt(2, 1).acquire(100, 101, 400).release(110, 111);
    assert_eq!(run.finish().judge(CHECKER).anomalies[0].kind, kinds::INSIDE_VALIDITY);
}

#[test]
fn an_unbounded_grant_ends_with_the_session_of_a_dead_holder() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire_unbounded(0, 1).check(2, 3, 0);
    run.attempt(2, 1).acquire_unbounded(100, 101).release(110, 111);
    assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
}

#[test]
fn a_lease_found_to_stand_longer_was_renewed() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).acquire(0, 1, 300).verify(400, 401, 200).release(500, 501);
    run.attempt(2, 1).acquire(502, 503, 802).release(510, 511);
    run.attempt(3, 2).acquire(0, 1, 300).verify(400, 401, 200).release(500, 501);
    run.attempt(4, 2).acquire(449, 450, 749).release(510, 511);
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.anomalies.len(), 1);
    assert_eq!(finding.anomalies[0].kind, kinds::INSIDE_VALIDITY);
}

#[test]
fn anomalies_beyond_a_thousand_are_counted_in_one() {
    let mut run = Run::with_capacity(1);
    for holder in 1..=1500 {
        run.attempt(holder, 1).acquire_unbounded(0, 1).release(20, 21);
    }
    let finding = run.finish().judge(CHECKER);
    assert_eq!(finding.anomalies.len(), 1001);
    let further = &finding.anomalies[1000];
    assert_eq!((further.kind.as_str(), further.count), (kinds::FURTHER, 499));
    assert_eq!(further.sentence, "and 499 more of these");
}

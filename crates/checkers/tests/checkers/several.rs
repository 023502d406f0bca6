//! Attempts that book several slots, and leases that are renewed.

use lockproof_checkers::{duplicates, kinds};
use lockproof_model::{Finding, SlotId, Verdict};

use crate::builder::{Finished, Run};

const CHECKER: &str = "duplicate-bookings";

/// Slots 1 and 2 by holder 1, slots 2 and 3 by holder 2, each with its locks in order; `from` is when the second begins.
fn overlapping(from: u64) -> Finished {
    let mut run = Run::with_capacity(1);
    let first = run.attempt(1, 1).acquire(0, 1, 1000).on(2).acquire(2, 3, 1000);
    let first = first.on(1).check(4, 5, 0).on(2).check(6, 7, 0).on(1).insert(8, 9);
    let first = first.on(2).insert(10, 11).row().on(1).commit(12, 13);
    first.on(2).release(14, 15).on(1).release(16, 17);
    let at = |after| from + after;
    let second = run.attempt(2, 2).acquire(at(0), at(1), 1000).on(3).acquire(at(2), at(3), 1000);
    let second = second.on(2).check(at(4), at(5), 0).on(3).check(at(6), at(7), 0);
    let second = second.on(2).insert(at(8), at(9)).on(3).insert(at(10), at(11)).row();
    second.on(2).commit(at(12), at(13)).on(3).release(at(14), at(15)).on(2).release(at(16), at(17));
    run.finish()
}

fn only(finding: &Finding) -> (&str, SlotId, &str) {
    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    (&anomaly.kind, anomaly.slot, &anomaly.sentence)
}

#[test]
fn each_lock_is_a_hold_of_its_own() {
    let mut run = Run::with_capacity(1);
    let first = run.attempt(1, 1).acquire(0, 1, 1000).on(2).acquire(2, 3, 1000);
    first.on(1).insert(4, 5).on(2).insert(4, 5).row().on(1).commit(6, 7).on(2).release(8, 9);
    run.attempt(2, 2).acquire(10, 11, 1000).check(12, 13, 1);
    let run = run.finish();
    assert_eq!(run.judge(CHECKER).verdict, Verdict::Valid);
    assert_eq!(run.judge("mutual-exclusion").verdict, Verdict::Valid, "slot 2 was given back");
}

#[test]
fn a_slot_that_two_of_them_share_is_sold_twice_and_the_others_are_not() {
    let run = overlapping(5);
    let finding = run.judge(CHECKER);
    assert_eq!(duplicates(&finding), 1);
    assert_eq!(
        only(&finding),
        (
            kinds::DUPLICATE_BOOKING,
            SlotId(2),
            "slot 2 sold twice: nothing kept holder 1 and holder 2 apart, both inside for 8 ms"
        )
    );
    let locks = run.judge("mutual-exclusion");
    assert_eq!(only(&locks).1, SlotId(2));
}

#[test]
fn a_booking_of_several_slots_that_stands_in_part_is_found() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1).insert(0, 1).on(2).insert(2, 3).on(1).commit(4, 5);
    let run = run.finish();
    let finding = run.judge(CHECKER);
    assert_eq!(
        only(&finding),
        (
            kinds::PARTIAL_BOOKING,
            SlotId(1),
            "attempt 1 of holder 1 booked slot 1 and not slot 2, of which it wrote both in one transaction"
        )
    );
}

#[test]
fn a_renewed_lease_is_trusted_to_its_new_end() {
    let judge = |renewed: bool| {
        let mut run = Run::with_capacity(1);
        let first = run.attempt(1, 1).acquire(0, 1, 100);
        let first = if renewed { first.renew(50, 51, 150) } else { first };
        first.insert(130, 131).release(140, 141);
        run.attempt(2, 1).acquire(119, 120, 220);
        let finding = run.finish().judge("mutual-exclusion");
        finding.anomalies.first().map(|anomaly| anomaly.kind.clone())
    };
    assert_eq!(judge(false).as_deref(), Some(kinds::OVERRUN), "its holder outlived its lease");
    assert_eq!(judge(true).as_deref(), Some(kinds::INSIDE_VALIDITY), "the lock was wrong");
}

/// Failure mode F61: nothing was reserved between the question and the booking.
#[test]
fn a_check_that_came_before_its_lock_is_named() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 1)
        .check(0, 1, 0)
        .acquire(10, 11, 100)
        .insert(12, 13)
        .commit(14, 15)
        .release(16, 17);
    run.attempt(2, 1)
        .check(2, 3, 0)
        .acquire(20, 21, 100)
        .insert(22, 23)
        .commit(24, 25)
        .release(26, 27);
    assert_eq!(
        only(&run.finish().judge(CHECKER)).2,
        "slot 1 sold twice: holder 2 had checked 19 ms before it was granted the lock"
    );
}

//! What each flow does, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join;
use lockproof_model::{
    AttemptResult, Effect, HolderId, Point, Refusal, RefusedBy, SlotId, Span, Step,
};
use lockproof_rig::System;
use lockproof_testkit::Passages;
use lockproof_workload::{ENTRIES, FlowSettings, Load, Occurrence, Record};

use crate::support::{Stage, load, run_out, stage, take_lock_of};

/// One holder's attempts at `slots` slots by that flow; time is spent, and leases are renewed.
fn one(flow: &str, attempts: u32, slots: u32) -> Load {
    let (work, think) = (Duration::from_millis(3), Duration::from_millis(3));
    let refresh = Some(Duration::from_millis(1));
    let settings = FlowSettings { work, think, refresh, parts: 2 };
    let flow = lockproof_workload::find(flow).expect("the catalog has it");
    Load { flow, slots, settings, ..load(1, attempts) }
}

async fn book(flow: &str, attempts: u32, slots: u32) -> (Stage, Record) {
    let stage = stage(&[]).await;
    let record = run_out(&stage.parties, &one(flow, attempts, slots)).await;
    (stage, record)
}

/// Of the first attempt: each step with its slot.
fn taken(record: &Record) -> Vec<(Step, u32)> {
    let first = record.history.attempts[0].id;
    let own = record.history.operations.iter().filter(|operation| operation.attempt == first);
    own.map(|operation| (operation.step, operation.slot.0)).collect()
}

#[tokio::test]
async fn a_flow_takes_the_steps_that_it_says_and_books() {
    for entry in ENTRIES {
        let (_stage, record) = book(entry.name, 1, 2).await;
        let steps: BTreeSet<_> = taken(&record).into_iter().map(|(step, _)| step).collect();
        let said: BTreeSet<_> = entry.steps.iter().copied().collect();
        assert_eq!(steps, said, "{}", entry.name);
        let attempt = &record.history.attempts[0];
        assert!(matches!(attempt.result, AttemptResult::Booked { .. }), "{}", entry.name);
        assert!(record.history.operations.iter().all(|operation| operation.outcome.is_ok()));
    }
}

#[tokio::test]
async fn a_reservation_is_renewed_while_the_customer_thinks_and_verified_before_it_is_booked() {
    let (_stage, record) = book("reserve-then-confirm", 1, 1).await;
    let steps: Vec<_> = taken(&record).into_iter().map(|(step, _)| step).collect();
    use Step::{Acquire, Begin, Check, Commit, Insert, Release, Renew, Think, Verify, Work};
    let thought = [Acquire, Think, Renew, Think, Renew, Think, Verify];
    let booked = [Begin, Check, Work, Insert, Commit, Release];
    assert_eq!(steps, [&thought[..], &booked[..]].concat());
    let ends = record.history.operations.iter().filter_map(|op| match op.outcome.effect() {
        Some(Effect::Granted { valid_until, .. } | Effect::Renewed { valid_until }) => {
            Some(*valid_until)
        }
        _ => None,
    });
    let ends: Vec<_> = ends.collect();
    assert!(ends.len() == 3 && ends.windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
}

#[tokio::test]
async fn work_that_is_no_longer_than_the_interval_is_not_renewed() {
    let stage = stage(&[]).await;
    let mut load = one("hold-and-extend", 1, 1);
    load.settings.refresh = Some(load.settings.work);
    let record = run_out(&stage.parties, &load).await;
    assert!(taken(&record).iter().all(|(step, _)| *step != Step::Renew));
}

#[tokio::test]
async fn several_slots_are_locked_in_order_booked_in_one_transaction_and_given_back() {
    let (stage, record) = book("compound", 1, 2).await;
    use Step::{Acquire, Begin, Check, Commit, Insert, Release, Work};
    let locks = [(Acquire, 1), (Acquire, 2), (Begin, 1)];
    let writes = [(Check, 1), (Check, 2), (Work, 1), (Insert, 1), (Insert, 2), (Commit, 1)];
    let given_back = [(Release, 2), (Release, 1)];
    assert_eq!(taken(&record), [&locks[..], &writes[..], &given_back[..]].concat());
    let rows = stage.bench.rig.store().table().await.unwrap().bookings;
    let slots: Vec<_> = rows.iter().map(|row| (row.attempt, row.slot)).collect();
    let attempt = record.history.attempts[0].id;
    assert_eq!(slots, [(attempt, SlotId(1)), (attempt, SlotId(2))], "{rows:?}");
}

#[tokio::test]
async fn a_stay_of_which_a_night_is_locked_gives_the_others_back_unless_it_is_the_control() {
    use Step::{Acquire, Release};
    let given_back = [(Acquire, 1), (Acquire, 2), (Release, 1)];
    for (flow, steps) in
        [("room-nights", &given_back[..]), ("room-nights-keeps-part", &given_back[..2])]
    {
        let stage = stage(&[]).await;
        take_lock_of(&stage.bench, 2).await;
        let record = run_out(&stage.parties, &one(flow, 2, 2)).await;
        let second = &record.history.attempts[1];
        let own = record.history.operations.iter().filter(|op| op.attempt == second.id);
        assert_eq!(own.map(|op| (op.step, op.slot.0)).collect::<Vec<_>>(), steps, "{flow}");
        let held = AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held };
        assert_eq!(second.result, held);
    }
}

#[tokio::test]
async fn every_second_caller_takes_no_lock() {
    let (_stage, record) = book("lock-optional", 2, 2).await;
    let locks = record.history.operations.iter().filter(|op| op.step == Step::Acquire);
    let attempts: Vec<_> = locks.map(|acquire| acquire.attempt.0).collect();
    assert_eq!(attempts, [1]);
    let booked = |result: &AttemptResult| matches!(result, AttemptResult::Booked { .. });
    assert!(record.history.attempts.iter().all(|attempt| booked(&attempt.result)));
}

#[tokio::test]
async fn ranges_of_a_resource_have_a_lock_each_and_are_counted_where_they_overlap() {
    let (stage, record) = book("overlapping-ranges", 2, 2).await;
    let second = &record.history.attempts[1];
    let own = record.history.operations.iter().filter(|op| op.attempt == second.id);
    let own: Vec<_> = own.map(|op| (op.step, op.slot.0)).collect();
    assert_eq!(own, [(Step::Acquire, 2), (Step::Begin, 1), (Step::Check, 1), (Step::Release, 2)]);
    assert_eq!(
        second.result,
        AttemptResult::Refused { by: RefusedBy::Check, refusal: Refusal::Taken }
    );
    let rows = stage.bench.rig.store().table().await.unwrap().bookings;
    assert_eq!(rows.iter().map(|row| row.span).collect::<Vec<_>>(), [Span { from: 10, to: 12 }]);
}

/// What was seen before the talk is what is booked after it, though somebody else's booking stands by then.
#[tokio::test]
async fn a_check_before_the_talk_is_not_repeated() {
    let mut stage = stage(&[(1, Point::after(Step::Think))]).await;
    let watch = async {
        let stopped = stage.keeper.next().await;
        let is_done = |passages: &Passages| {
            let done =
                |o: &Occurrence| o.holder == HolderId(2) && o.point == Point::after(Step::Release);
            passages.passed().iter().any(done)
        };
        while !is_done(&stage.passages) {
            tokio::task::yield_now().await;
        }
        drop(stopped);
    };
    let load = Load { holders: 2, ..one("check-then-book", 2, 1) };
    // Only after the second has given the lock back does the first ask for it.
    let (record, ()) = join(run_out(&stage.parties, &load), watch).await;
    let booked = |result: &AttemptResult| matches!(result, AttemptResult::Booked { .. });
    assert!(record.history.attempts.iter().all(|attempt| booked(&attempt.result)), "{record:?}");
}

//! The order of steps and gates, and what is written down of them.

use std::sync::atomic::Ordering;

use futures_util::future::join;
use lockproof_model::{
    AttemptResult, Effect, HolderId, Moment, Outcome, Point, Reason, Refusal, RefusedBy, Step,
};
use lockproof_rig::System;
use lockproof_workload::Seen;

use crate::support::{load, points, run_out, stage, take_lock};

#[tokio::test]
async fn every_step_passes_its_three_gates_in_the_order_of_the_flow() {
    let stage = stage(&[]).await;
    let load = load(1, 1);
    let record = run_out(&stage.parties, &load).await;
    let passed = stage.passages.passed();
    let order: Vec<_> = passed.iter().map(|occurrence| occurrence.point).collect();
    assert_eq!(order, points(load.flow.steps));
    for occurrence in &passed {
        let expected = match occurrence.point.moment {
            Moment::Before => Seen::Nothing,
            Moment::Answer | Moment::After => Seen::GoesOn,
        };
        assert_eq!(occurrence.seen, expected, "{}", occurrence.point);
        let step = occurrence.point.step;
        let holds = match occurrence.point.moment {
            Moment::Before => step != Step::Acquire,
            Moment::Answer | Moment::After => step != Step::Release,
        };
        assert_eq!(occurrence.valid_until.is_some(), holds, "{}", occurrence.point);
    }
    let steps: Vec<_> = record.history.operations.iter().map(|op| op.step).collect();
    assert_eq!(steps, load.flow.steps);
    assert!(record.history.operations.iter().all(|op| op.outcome.is_ok()));
    assert!(matches!(record.history.attempts[0].result, AttemptResult::Booked { .. }));
    assert_eq!(stage.bench.rig.store().table().await.unwrap().bookings.len(), 1);
}

#[tokio::test]
async fn an_attempt_that_finds_the_slot_taken_gives_the_lock_back_and_ends() {
    let stage = stage(&[]).await;
    let record = run_out(&stage.parties, &load(1, 2)).await;
    let second: Vec<_> = record.history.operations.iter().filter(|op| op.attempt.0 == 2).collect();
    let steps: Vec<_> = second.iter().map(|op| op.step).collect();
    assert_eq!(steps, [Step::Acquire, Step::Begin, Step::Check, Step::Release]);
    assert_eq!(second[2].outcome, Outcome::Ok(Effect::Checked { confirmed: 1, free: false }));
    assert_eq!(
        record.history.attempts[1].result,
        AttemptResult::Refused { by: RefusedBy::Check, refusal: Refusal::Taken }
    );
    let passed = stage.passages.passed();
    let ended = passed.iter().filter(|occurrence| occurrence.seen == Seen::Ends);
    let ended: Vec<_> = ended.map(|occurrence| occurrence.point).collect();
    assert_eq!(ended, [Point::answer(Step::Check), Point::after(Step::Check)]);
}

#[tokio::test]
async fn a_lock_that_is_held_refuses_the_attempt_before_its_transaction() {
    let stage = stage(&[]).await;
    take_lock(&stage.bench).await;
    let record = run_out(&stage.parties, &load(1, 1)).await;
    let operations = &record.history.operations;
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].outcome, Outcome::Fail(Reason::Refused(Refusal::Held)));
    assert_eq!(
        record.history.attempts[0].result,
        AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held }
    );
}

#[tokio::test]
async fn a_holder_that_stands_at_a_gate_keeps_the_others_out_by_its_lock() {
    let mut stage = stage(&[(1, Point::after(Step::Check))]).await;
    let watch = async {
        let stopped = stage.keeper.next().await;
        assert_eq!(stopped.occurrence.holder, HolderId(1));
        let refused = |passages: &lockproof_testkit::Passages| {
            passages.passed().iter().any(|o| o.holder == HolderId(2) && o.seen == Seen::Ends)
        };
        while !refused(&stage.passages) {
            tokio::task::yield_now().await;
        }
        drop(stopped);
    };
    let load = load(2, 2);
    let (record, ()) = join(run_out(&stage.parties, &load), watch).await;
    let results: Vec<_> = record.history.attempts.iter().map(|a| (a.holder, &a.result)).collect();
    let refused = AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held };
    assert!(results.contains(&(HolderId(2), &refused)), "{results:?}");
    assert!(matches!(results[0], (HolderId(1), AttemptResult::Booked { .. })), "{results:?}");
}

#[tokio::test]
async fn a_load_that_is_halted_finishes_its_attempt_and_starts_no_other() {
    let mut stage = stage(&[(1, Point::before(Step::Commit))]).await;
    let halt = async {
        let stopped = stage.keeper.next().await;
        stage.halt.store(true, Ordering::Relaxed);
        drop(stopped);
    };
    let load = load(1, 5);
    let (record, ()) = join(run_out(&stage.parties, &load), halt).await;
    assert_eq!(record.history.attempts.len(), 1);
    assert!(matches!(record.history.attempts[0].result, AttemptResult::Booked { .. }));
}

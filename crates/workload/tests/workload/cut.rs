//! A load that is cut short keeps what was written, and what was open is unknown.

use lockproof_model::{AttemptResult, Effect, Outcome, Point, Reason, Step};
use lockproof_rig::System;
use lockproof_workload::{Record, run};

use crate::support::{Stage, check, load, stage};

/// Cuts a load of two attempts as soon as its holder comes to `point`.
async fn cut_at(point: Point) -> (Record, Stage) {
    let mut stage = stage(&[(1, point)]).await;
    let cut = async {
        // Kept, so that the bar stays closed until the holder was dropped.
        stage.keeper.next().await
    };
    let (record, arrival) =
        run(&stage.parties, &load(1, 2), cut, |_, _| {}).await.expect("it answers");
    let arrival = arrival.expect("the load was cut short");
    assert_eq!(arrival.occurrence.point, point);
    check(&record);
    (record, stage)
}

#[tokio::test]
async fn a_step_that_was_under_way_is_unknown_and_so_is_its_attempt() {
    let (record, _stage) = cut_at(Point::answer(Step::Insert)).await;
    let (open, done) = record.history.operations.split_last().unwrap();
    assert_eq!(open.step, Step::Insert);
    assert_eq!((open.completed, &open.outcome), (None, &Outcome::Info(Reason::Unanswered)));
    assert!(done.iter().all(|operation| operation.outcome.is_ok()));
    assert_eq!(record.history.attempts.len(), 1, "no other attempt began");
    let attempt = &record.history.attempts[0];
    assert!(matches!(attempt.result, AttemptResult::Unknown { .. }), "{attempt:?}");
    assert_eq!(attempt.finished, record.finished);
}

#[tokio::test]
async fn a_commit_whose_answer_was_not_seen_is_unknown_and_may_stand() {
    let (record, stage) = cut_at(Point::answer(Step::Commit)).await;
    let open = record.history.operations.last().unwrap();
    assert_eq!((open.step, &open.outcome), (Step::Commit, &Outcome::Info(Reason::Unanswered)));
    assert_eq!(stage.bench.rig.store().table().await.unwrap().bookings.len(), 1);
}

#[tokio::test]
async fn a_step_that_was_not_invoked_is_not_in_the_history() {
    let (record, stage) = cut_at(Point::before(Step::Commit)).await;
    let last = record.history.operations.last().unwrap();
    assert_eq!(last.step, Step::Insert);
    assert!(matches!(last.outcome, Outcome::Ok(Effect::Inserted { unit: 1 })));
    assert_eq!(stage.bench.rig.store().table().await.unwrap().bookings, []);
}

#[tokio::test]
async fn a_cut_before_the_first_attempt_leaves_an_empty_history() {
    let stage = stage(&[]).await;
    let cut = std::future::ready("at once");
    let (record, by) = run(&stage.parties, &load(1, 1), cut, |_, _| {}).await.unwrap();
    assert_eq!(by, Some("at once"));
    assert!(record.history.operations.is_empty() && record.history.attempts.is_empty());
}

#[tokio::test]
async fn the_load_begins_once_every_holder_is_connected() {
    let stage = stage(&[]).await;
    let mut begun = None;
    let never = std::future::pending::<()>();
    let (record, _) =
        run(&stage.parties, &load(4, 1), never, |at, _| begun = Some(at)).await.unwrap();
    assert_eq!(begun, Some(record.started));
    assert!(record.history.attempts.iter().all(|attempt| attempt.started >= record.started));
}

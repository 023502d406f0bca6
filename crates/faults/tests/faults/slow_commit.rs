//! `slow-commit`: on the side of the request nothing is committed yet, on that of the answer everything is.

use std::sync::Arc;

use lockproof_bookings::{BookingSession, Committed, Request};
use lockproof_faults::{Choice, FaultPlan, Reach, Triggers};
use lockproof_model::{AttemptId, Moment, SlotId, Span};
use lockproof_rig::LinkUse::Direct;
use lockproof_rig::Rig;
use lockproof_rig::System;
use lockproof_workload::StepGate;

use crate::support::{HOLDER, TwoHolders, a_moment, at, bench, fault, in_time, occurrence};

/// Books one slot by hand, as the flow does, and gives how many rows the judge sees while the holder is held up.
async fn rows_while_held_up(side: &str) -> (usize, Vec<lockproof_model::FaultRecord>) {
    let bench = bench("none", Direct).await;
    let guard = lockproof_bookings::catalog::find("none").expect("the catalog has it").guard;
    let store = bench.rig.store();
    let mut booking =
        BookingSession::open(store.as_ref(), guard, HOLDER).await.expect("it answers");
    let slow = fault("slow-commit", [("side", side)]);
    let Reach::HolderAt(point) = slow.reach() else { panic!("a commit is a holder's step") };
    let trigger = at(point, Choice::Every(1));
    let plan = FaultPlan { number: 1, kind: "slow-commit", fault: slow, trigger, holders: vec![] };
    let rig = Arc::new(TwoHolders::default()) as Arc<dyn Rig>;
    let triggers = Triggers::new(bench.env.fork("faults"), rig, &[plan]);

    let (slot, attempt) = (SlotId(1), AttemptId(1));
    booking
        .begin(Request { slot, span: Span::WHOLE, holder: HOLDER, attempt, fencing_token: None })
        .await
        .expect("it answers");
    booking.check().await.expect("it answers");
    booking.insert().await.expect("it answers");
    if point.moment == Moment::Answer {
        assert!(matches!(booking.commit().await.expect("it answers"), Committed::Booked(_)));
    }
    let here = occurrence(HOLDER, point);
    let mut waits = triggers.wait(&here);
    assert!(lockproof_testkit::poll_at_most(&mut waits, 1).await.is_none(), "the holder went on");
    a_moment(&bench.env).await;
    let rows = store.table().await.expect("it answers").bookings.len();
    triggers.heal_all();
    in_time(&bench.env, waits).await;
    if point.moment == Moment::Before {
        assert!(matches!(booking.commit().await.expect("it answers"), Committed::Booked(_)));
    }
    assert_eq!(store.table().await.expect("it answers").bookings.len(), 1);
    (rows, triggers.end().await.0)
}

#[tokio::test]
async fn a_commit_that_leaves_late_is_not_visible_meanwhile() {
    let (rows, records) = rows_while_held_up("request").await;
    assert_eq!(rows, 0);
    assert!(records[0].bit, "{records:?}");
    assert!(records[0].observed.starts_with("COMMIT left "), "{records:?}");
}

#[tokio::test]
async fn a_commit_whose_answer_is_late_is_visible_while_its_holder_waits() {
    let (rows, records) = rows_while_held_up("answer").await;
    assert_eq!(rows, 1);
    assert!(records[0].bit, "{records:?}");
    assert!(records[0].observed.starts_with("the answer to COMMIT arrived "), "{records:?}");
}

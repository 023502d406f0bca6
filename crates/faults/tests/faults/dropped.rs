//! Whoever is dropped while a fault stands, it heals and its evidence is kept.

use lockproof_faults::Choice;
use lockproof_model::{Point, Step};
use lockproof_testkit::poll_at_most;
use lockproof_workload::StepGate;

use crate::support::{HOLDER, Noted, after_check, at};
use crate::triggers::armed;

#[tokio::test]
async fn a_holder_that_is_dropped_while_held_up_leaves_its_evidence() {
    let holding = Noted { holds_step: true, ..Noted::new() };
    let (plan, counts) = holding.plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (_env, triggers) = armed(&[plan]);
    let dropped = poll_at_most(triggers.wait(&after_check(HOLDER)), 1).await;
    assert!(dropped.is_none(), "the holder went on");
    let (records, summaries) = triggers.end().await;
    assert_eq!((counts.injected(), counts.healed()), (1, 1));
    assert!(records[0].bit && records[0].healed.is_some(), "{records:?}");
    assert_eq!((summaries[0].injected, summaries[0].bit), (1, 1));
}

#[test]
fn a_run_that_is_torn_down_heals_what_stands() {
    let (plan, counts) = Noted::new().plan(at(Point::after(Step::Check), Choice::Every(1)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_env, triggers) = armed(&[plan]);
        triggers.wait(&after_check(HOLDER)).await;
    });
    assert_eq!((counts.injected(), counts.ended()), (1, 0));
    drop(runtime);
    assert_eq!((counts.healed(), counts.ended()), (0, 1), "a drop is the net under everything");
}

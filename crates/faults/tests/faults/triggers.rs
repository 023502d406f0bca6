//! Faults at steps: at which occurrences, and until when.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_faults::{Choice, FaultPlan, Lasts, Trigger, Triggers};
use lockproof_model::{HolderId, Point, SlotId, Step};
use lockproof_rig::Rig;
use lockproof_testkit::poll_at_most;
use lockproof_workload::{Seen, StepGate};

use crate::support::{
    HOLDER, Noted, OTHER, TwoHolders, a_moment, after_check, at, in_time, occurrence, until,
    until_event,
};

pub(crate) fn armed(plans: &[FaultPlan]) -> (Env, Triggers) {
    let env = lockproof_env::live::env(1);
    let rig = Arc::new(TwoHolders::default()) as Arc<dyn Rig>;
    let triggers = Triggers::new(env.fork("faults"), rig, plans);
    (env, triggers)
}

/// How often a fault fires when a holder comes to its point ten times.
async fn fired(choice: Choice) -> u32 {
    let (plan, counts) = Noted::new().plan(at(Point::after(Step::Check), choice));
    let (_env, triggers) = armed(&[plan]);
    for _ in 0..10 {
        triggers.wait(&after_check(HOLDER)).await;
    }
    let (records, summaries) = triggers.end().await;
    assert_eq!(records.len(), usize::try_from(counts.injected()).expect("it is there"));
    assert_eq!((summaries[0].injected, summaries[0].bit), (counts.injected(), counts.healed()));
    counts.injected()
}

#[tokio::test]
async fn a_fault_fires_at_every_third_occurrence_at_one_or_by_chance() {
    assert_eq!(fired(Choice::Every(1)).await, 10);
    assert_eq!(fired(Choice::Every(3)).await, 3);
    assert_eq!(fired(Choice::Nth(4)).await, 1);
    assert_eq!(fired(Choice::Nth(11)).await, 0);
    assert_eq!(fired(Choice::Probability(0.0)).await, 0);
    assert_eq!(fired(Choice::Probability(1.0)).await, 10);
    let by_chance = fired(Choice::Probability(0.5)).await;
    assert_eq!(by_chance, fired(Choice::Probability(0.5)).await, "chance is the seed's");
}

#[tokio::test]
async fn a_fault_fires_at_its_own_point_and_only_where_the_booking_goes_on() {
    let (plan, counts) = Noted::new().plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (_env, triggers) = armed(&[plan]);
    for other in [Point::before(Step::Check), Point::answer(Step::Check), Point::after(Step::Begin)]
    {
        triggers.wait(&occurrence(HOLDER, other)).await;
    }
    let mut refused = after_check(HOLDER);
    refused.seen = Seen::Ends;
    triggers.wait(&refused).await;
    assert_eq!(counts.injected(), 0);
    triggers.wait(&after_check(HOLDER)).await;
    assert_eq!(counts.injected(), 1);
}

#[tokio::test]
async fn a_fault_for_some_holders_neither_hits_nor_counts_the_others() {
    let (mut plan, counts) = Noted::new().plan(at(Point::after(Step::Check), Choice::Nth(2)));
    plan.holders = vec![OTHER];
    let (_env, triggers) = armed(&[plan]);
    for holder in [HOLDER, HOLDER, OTHER, HOLDER] {
        triggers.wait(&after_check(holder)).await;
    }
    assert_eq!(counts.injected(), 0);
    triggers.wait(&after_check(OTHER)).await;
    assert_eq!(counts.injected(), 1);
    let (records, _) = triggers.end().await;
    assert_eq!((records[0].holder, records[0].slot), (Some(OTHER), Some(SlotId(1))));
}

#[tokio::test]
async fn an_event_ends_a_fault_when_it_is_anothers_and_on_the_same_slot() {
    let holding = Noted { holds_step: true, ..Noted::new() };
    let (plan, counts) = holding.plan(until_event("another-commit"));
    let (env, triggers) = armed(&[plan]);
    let here = after_check(HOLDER);
    let mut waits = triggers.wait(&here);
    assert!(poll_at_most(&mut waits, 1).await.is_none(), "the holder went on");

    let commit = |holder| occurrence(holder, Point::after(Step::Commit));
    let mut elsewhere = commit(OTHER);
    elsewhere.slot = SlotId(2);
    let mut failed = commit(OTHER);
    failed.seen = Seen::Ends;
    let own = commit(HOLDER);
    let not_yet = occurrence(OTHER, Point::before(Step::Commit));
    for stranger in [&elsewhere, &failed, &own, &not_yet] {
        triggers.wait(stranger).await;
        a_moment(&env).await;
        assert_eq!(counts.healed(), 0, "{stranger:?} is not the event");
    }
    triggers.wait(&commit(OTHER)).await;
    in_time(&env, waits).await;
    assert_eq!(counts.healed(), 1);
}

#[tokio::test]
async fn a_length_ends_a_fault_for_which_no_event_comes() {
    let length = Duration::from_millis(30);
    let Trigger::AtStep { point, choice, until, .. } = until_event("another-commit") else {
        unreachable!("that is a step")
    };
    let trigger = Trigger::AtStep { point, choice, until, length: Some(length) };
    let (plan, counts) = Noted { holds_step: true, ..Noted::new() }.plan(trigger);
    let (env, triggers) = armed(&[plan]);
    let began = env.now();
    in_time(&env, triggers.wait(&after_check(HOLDER))).await;
    assert!(env.now().saturating_since(began) >= length);
    assert_eq!(counts.healed(), 1);
    let (records, _) = triggers.end().await;
    let healed = records[0].healed.unwrap();
    assert!(healed.saturating_since(records[0].injected) >= length, "{records:?}");
}

#[tokio::test]
async fn a_fault_that_is_over_at_once_keeps_nobody() {
    let instant = Noted { lasts: Lasts::AnInstant, ..Noted::new() };
    let (plan, counts) = instant.plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (env, triggers) = armed(&[plan]);
    in_time(&env, triggers.wait(&after_check(HOLDER))).await;
    until(&env, || counts.healed() == 1).await;
}

#[tokio::test]
async fn several_faults_at_one_point_all_fire() {
    let (first, of_first) = Noted::new().plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (second, of_second) = Noted::new().plan(at(Point::after(Step::Check), Choice::Every(2)));
    let second = FaultPlan { number: 2, ..second };
    let (_env, triggers) = armed(&[first, second]);
    for _ in 0..2 {
        triggers.wait(&after_check(HOLDER)).await;
    }
    assert_eq!((of_first.injected(), of_second.injected()), (2, 1));
    let (_, summaries) = triggers.end().await;
    let counted: Vec<_> = summaries.iter().map(|s| (s.fault, s.injected, s.bit)).collect();
    assert_eq!(counted, [(1, 2, 2), (2, 1, 1)]);
}

#[tokio::test]
async fn healing_everything_lets_holders_go_and_injects_no_more() {
    let holding = Noted { holds_step: true, ..Noted::new() };
    let (plan, counts) = holding.plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (env, triggers) = armed(&[plan]);
    let (first, second) = (after_check(HOLDER), after_check(OTHER));
    let mut waits = [triggers.wait(&first), triggers.wait(&second)];
    for wait in &mut waits {
        assert!(poll_at_most(wait, 1).await.is_none(), "the holder went on");
    }
    triggers.heal_all();
    for wait in waits {
        in_time(&env, wait).await;
    }
    in_time(&env, triggers.wait(&first)).await;
    assert_eq!((counts.injected(), counts.healed()), (2, 2));
}

#[tokio::test]
async fn an_injection_that_fails_is_recorded_and_does_not_bite() {
    let broken = Noted { fails: true, holds_step: true, ..Noted::new() };
    let (plan, _) = broken.plan(at(Point::after(Step::Check), Choice::Every(1)));
    let (env, triggers) = armed(&[plan]);
    in_time(&env, triggers.wait(&after_check(HOLDER))).await;
    let (records, summaries) = triggers.end().await;
    assert_eq!(records[0].observed, "not injected: the rig is out of order");
    assert!(!records[0].bit && records[0].healed.is_some());
    assert_eq!((summaries[0].injected, summaries[0].bit), (1, 0));
}

#[tokio::test]
async fn a_real_pause_by_trigger_stops_the_group_of_the_holder_that_came() {
    let env = lockproof_env::live::env(1);
    let rig = Arc::new(TwoHolders::default());
    let plan = FaultPlan {
        number: 1,
        kind: "pause-holder",
        fault: crate::support::fault("pause-holder", []),
        trigger: until_event("another-check"),
        holders: Vec::new(),
    };
    let triggers = Triggers::new(env.fork("faults"), Arc::clone(&rig) as Arc<dyn Rig>, &[plan]);
    let here = after_check(HOLDER);
    let mut waits = triggers.wait(&here);
    assert!(poll_at_most(&mut waits, 1).await.is_none(), "the holder went on");
    let paused = |holder: HolderId| rig.group(holder).unwrap().is_paused();
    assert!(paused(HOLDER) && !paused(OTHER));
    a_moment(&env).await;
    let other = after_check(OTHER);
    let mut next = triggers.wait(&other);
    // The other's check is the event, and its own pause begins.
    assert!(poll_at_most(&mut next, 1).await.is_none(), "the other holder went on");
    in_time(&env, waits).await;
    assert!(!paused(HOLDER) && paused(OTHER));
    let (records, _) = triggers.end().await;
    assert!(!paused(OTHER), "the end heals");
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.healed.is_some()), "{records:?}");
}

//! `kill-holder`: its tasks are dropped where they stand, and it may have others once healed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockproof_faults::{FaultPlan, Triggers};
use lockproof_rig::Rig;
use lockproof_workload::StepGate;

use crate::support::{
    HOLDER, OTHER, TwoHolders, a_moment, after_check, fault, in_time, occasion, until, until_event,
};

#[tokio::test]
async fn a_killed_holder_is_dropped_where_it_stands_and_may_start_again_once_healed() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let group = rig.group(HOLDER).unwrap();
    let task = env.in_group(&group).spawn(std::future::pending::<()>());
    let here = after_check(HOLDER);
    let kill = fault("kill-holder", []);
    let injection = kill.inject(&rig, occasion(&env, Some(&here))).await.unwrap();
    assert!(injection.holds_step(), "the holder must not go on in the poll that killed it");
    assert!(in_time(&env, task).await.is_err(), "its tasks are gone");
    assert!(group.is_killed() && !rig.group(OTHER).unwrap().is_killed());

    let again = kill.inject(&rig, occasion(&env, Some(&here))).await.unwrap();
    let healed = again.heal(env.now()).await;
    assert_eq!(healed.observed, "nobody was alive to be killed");
    assert!(!healed.bit && group.is_killed(), "another's injection ends with that");

    a_moment(&env).await;
    let healed = injection.heal(env.now()).await;
    assert!(healed.bit && healed.observed.contains(" died, started again after "));
    assert!(!group.is_killed());
}

#[tokio::test]
async fn a_holder_that_its_own_step_kills_never_gets_past_it() {
    let env = lockproof_env::live::env(1);
    let rig = Arc::new(TwoHolders::default());
    let plan = FaultPlan {
        number: 1,
        kind: "kill-holder",
        fault: fault("kill-holder", []),
        trigger: until_event("another-commit"),
        holders: Vec::new(),
    };
    let triggers = Triggers::new(env.fork("faults"), Arc::clone(&rig) as Arc<dyn Rig>, &[plan]);
    let group = rig.group(HOLDER).unwrap();
    let went_on = Arc::new(AtomicBool::new(false));
    let task = env.in_group(&group).spawn({
        let (triggers, went_on) = (triggers.clone(), Arc::clone(&went_on));
        async move {
            triggers.wait(&after_check(HOLDER)).await;
            went_on.store(true, Ordering::SeqCst);
        }
    });
    assert!(in_time(&env, task).await.is_err());
    let commit = lockproof_model::Point::after(lockproof_model::Step::Commit);
    triggers.wait(&crate::support::occurrence(OTHER, commit)).await;
    until(&env, || !group.is_killed()).await;
    let (records, _) = triggers.end().await;
    assert!(records[0].bit, "{records:?}");
    assert!(!went_on.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_dropped_injection_starts_the_holder_again_as_well() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let kill = fault("kill-holder", []);
    let injection = kill.inject(&rig, occasion(&env, None)).await.unwrap();
    assert!(rig.group(HOLDER).unwrap().is_killed() && rig.group(OTHER).unwrap().is_killed());
    drop(injection);
    assert!(!rig.group(HOLDER).unwrap().is_killed() && !rig.group(OTHER).unwrap().is_killed());
}

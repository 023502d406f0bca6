//! `pause-holder`: nobody polls the holder, and time goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lockproof_faults::Occasion;
use lockproof_rig::Rig;

use crate::support::{HOLDER, OTHER, TwoHolders, a_moment, after_check, fault, in_time, occasion};

#[tokio::test]
async fn a_paused_holder_is_not_polled_until_it_is_healed() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let (went_on, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let flag = Arc::clone(&went_on);
    let task = env.in_group(&rig.group(HOLDER).unwrap()).spawn(async move {
        gone.await.unwrap();
        flag.store(true, Ordering::SeqCst);
    });
    let other = Arc::clone(&seen);
    let neighbour = env.in_group(&rig.group(OTHER).unwrap());

    let here = after_check(HOLDER);
    let pause = fault("pause-holder", []);
    let injection = pause.inject(&rig, occasion(&env, Some(&here))).await.unwrap();
    assert!(injection.holds_step(), "the holder must not go on in the poll that paused it");
    go.send(()).unwrap();
    neighbour.spawn(async move { other.store(true, Ordering::SeqCst) }).await.unwrap();
    a_moment(&env).await;
    assert!(seen.load(Ordering::SeqCst), "the other holder goes on");
    assert!(!went_on.load(Ordering::SeqCst), "the paused holder does not");

    let healed = injection.heal(env.now()).await;
    in_time(&env, task).await.unwrap();
    assert!(healed.bit && healed.observed.starts_with("stood still for "), "{healed:?}");
}

#[tokio::test]
async fn a_pause_tells_whether_it_outlasted_the_lease() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let pause = fault("pause-holder", []);
    let mut here = after_check(HOLDER);
    for (end, told) in [
        (env.now(), "; its lease had ended "),
        (env.now() + Duration::from_secs(3600), "; its lease still stood"),
    ] {
        here.valid_until = Some(end);
        let injection = pause.inject(&rig, occasion(&env, Some(&here))).await.unwrap();
        a_moment(&env).await;
        let healed = injection.heal(env.now()).await;
        assert!(healed.bit && healed.observed.contains(told), "{healed:?}");
    }
}

#[tokio::test]
async fn by_the_time_line_a_pause_hits_everyone_or_those_who_are_named() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let pause = fault("pause-holder", []);
    let paused = || [HOLDER, OTHER].map(|holder| rig.group(holder).unwrap().is_paused());
    let injection = pause.inject(&rig, occasion(&env, None)).await.unwrap();
    assert!(!injection.holds_step());
    assert_eq!(paused(), [true, true]);
    a_moment(&env).await;
    assert!(injection.heal(env.now()).await.bit);
    assert_eq!(paused(), [false, false]);

    let named = Occasion { at: env.now(), occurrence: None, holders: &[OTHER] };
    let injection = pause.inject(&rig, named).await.unwrap();
    assert_eq!(paused(), [false, true]);
    drop(injection);
    assert_eq!(paused(), [false, false], "a drop heals as well");
}

#[tokio::test]
async fn a_pause_of_nobody_does_not_bite() {
    let (env, rig) = (lockproof_env::live::env(1), TwoHolders::default());
    let stranger = after_check(lockproof_model::HolderId(9));
    let pause = fault("pause-holder", []);
    let injection = pause.inject(&rig, occasion(&env, Some(&stranger))).await.unwrap();
    a_moment(&env).await;
    assert!(!injection.heal(env.now()).await.bit);
}

//! Grants that are a session's: they last as long as it does, and end with it.

use std::time::Duration;

use futures_util::FutureExt;
use lockproof_locks::{Acquired, LockSession, Released};
use lockproof_rig::{LinkUse::Direct, Rig};

use super::{Asks, LONG, POLL, Trial, await_grant, find_held, lock_name, take};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "a_grant_outlasts_its_ttl",
        asks: Asks::Session,
        links: Direct,
        run: |bench| outlasts(bench).boxed(),
    },
    Trial {
        name: "a_grant_ends_with_its_session",
        asks: Asks::Session,
        links: Direct,
        run: |bench| ends_with_its_session(bench).boxed(),
    },
    Trial {
        name: "a_session_that_the_server_ends_takes_its_grant_along",
        asks: Asks::Session,
        links: Direct,
        run: |bench| ended_by_the_server(bench).boxed(),
    },
    Trial {
        name: "one_session_has_several_locks_and_gives_back_one",
        asks: Asks::Session,
        links: Direct,
        run: |bench| several(bench).boxed(),
    },
];

async fn outlasts(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let ttl = Duration::from_millis(1);
    let lease = take(&mut first, &bench.claim(&lock), ttl).await;
    assert_eq!(lease.ttl, None, "nothing ends this grant, and its lease says otherwise");
    bench.env.sleep(ttl * 20).await;
    find_held(&mut second, &bench.claim(&lock)).await;
    let answer = first.release(lease).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned);
}

async fn ends_with_its_session(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    take(&mut first, &bench.claim(&lock), LONG).await;
    find_held(&mut second, &bench.claim(&lock)).await;
    drop(first);
    await_grant(bench, &mut second, &lock).await;
}

async fn ended_by_the_server(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take(&mut first, &bench.claim(&lock), LONG).await;
    let ended = bench.rig.expire_lock(&lock).await.expect("the servers answer");
    assert_eq!(ended.held_on, 1, "no session had the lock");
    let next = take(&mut second, &bench.claim(&lock), LONG).await;
    // Whether it has heard of it or not: what the next holder has is not given back.
    let answer = first.release(lease).await;
    assert!(!matches!(answer, Ok(Released::Owned)), "a lock that was lost was given back");
    loop {
        match first.acquire(&bench.claim(&lock), LONG).await {
            Ok(Acquired::Held) => break,
            Ok(Acquired::Granted(_)) => panic!("granted while the next holder has it"),
            // By this it hears of it.
            Err(_) => bench.env.sleep(POLL).await,
        }
    }
    let answer = second.release(next).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned);
}

async fn several(bench: &Bench) {
    let (one, other) = (lock_name(), lockproof_model::LockName::new("seat-2"));
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take(&mut first, &bench.claim(&one), LONG).await;
    take(&mut first, &bench.claim(&other), LONG).await;
    let answer = first.release(lease).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned);
    take(&mut second, &bench.claim(&one), LONG).await;
    find_held(&mut second, &bench.claim(&other)).await;
}

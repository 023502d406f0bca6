//! Real coordination services: stopped, killed, started again, and what a lock sees of it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::time::Duration;

use lockproof_locks::{Acquired, Certainty, Coordinator, Lock, LockSession, Released, find};
use lockproof_model::{FencingToken, HolderId, LockName};
use lockproof_rig::{Keeps, Link, LinkEffect, LinkUse, Rig, ServerEffect};
use lockproof_testkit::{Bench, Subject};

/// Nothing ends by itself.
const LONG: Duration = Duration::from_secs(120);
/// How long a lock waits for a service that does not answer.
const LIMIT: Duration = Duration::from_millis(500);

async fn bench(service: Coordinator) -> Bench {
    let subject = Subject {
        entry: find(service.word()).unwrap(),
        draw_tokens: true,
        adapter: None,
        database: None,
    };
    Bench::start(subject, "process", LinkUse::Shared).await.unwrap()
}

async fn take(bench: &Bench, holder: u32, lock: &LockName) -> lockproof_model::Lease {
    let answer = bench.session(holder).await.acquire(&bench.claim(lock), LONG).await.unwrap();
    let Acquired::Granted(lease) = answer else { panic!("a free lock was said to be held") };
    lease
}

async fn a_service_that_stands_still_answers_nobody_and_goes_on(service: Coordinator) {
    let (bench, lock) = (bench(service).await, LockName::new("seat-1"));
    let mut hasty = bench.lock_within(LIMIT).open(HolderId(1)).await.unwrap();
    let first = hasty.acquire(&bench.claim(&LockName::new("another")), LONG).await.unwrap();
    assert!(matches!(first, Acquired::Granted(_)), "{first:?}");
    let servers = [Link::Coordinator(service)];
    let paused = bench.rig.afflict(&servers, ServerEffect::Pause).await.unwrap();
    let claim = bench.claim(&lock);
    let error = hasty.acquire(&claim, LONG).await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::Indefinite, "{error}");
    let observed = paused.heal().await.unwrap().expect("it was seen to stop");
    assert!(observed.contains(&format!("{service} stopped (process")), "{observed}");
    bench.session(2).await.withdraw(&claim).await.unwrap();
    take(&bench, 2, &lock).await;
}

async fn a_service_that_died_still_knows_who_has_the_lock(service: Coordinator) {
    let (bench, lock) = (bench(service).await, LockName::new("seat-1"));
    let mut first = bench.session(1).await;
    let Acquired::Granted(lease) = first.acquire(&bench.claim(&lock), LONG).await.unwrap() else {
        panic!("a free lock was said to be held");
    };
    let crash = ServerEffect::Crash { keeps: Keeps::Everything };
    let servers = [Link::Coordinator(service)];
    let died = bench.rig.afflict(&servers, crash).await.unwrap();
    let observed = died.heal().await.unwrap().unwrap();
    assert!(observed.contains("died") && observed.contains("was started again"), "{observed}");
    let answer = bench.session(2).await.acquire(&bench.claim(&lock), LONG).await.unwrap();
    assert_eq!(answer, Acquired::Held, "a lock was forgotten");
    let before = lease.fencing_token.unwrap();
    // Over a connection that broke: the first answer may be that nobody knows.
    let released = match first.release(lease.clone()).await {
        Err(_) => first.release(lease).await.unwrap(),
        Ok(released) => released,
    };
    assert_eq!(released, Released::Owned);
    let after = take(&bench, 2, &lock).await.fencing_token.unwrap();
    assert!(after > before && after > FencingToken(0), "{after} was drawn after {before}");
}

async fn a_service_is_spared_what_it_cannot_suffer(service: Coordinator) {
    let bench = bench(service).await;
    let servers = [Link::Coordinator(service)];
    for effect in [
        ServerEffect::Flush,
        ServerEffect::ClockRate(2.0),
        ServerEffect::Crash { keeps: Keeps::Nothing },
    ] {
        assert!(bench.rig.afflict(&servers, effect).await.is_err(), "{effect:?}");
    }
    // Nobody reads what is said to it, so that no message can be told from the next.
    let lose = LinkEffect::Lose(lockproof_rig::Direction::ToClient);
    assert!(bench.rig.disturb(&servers, &[], lose).is_err());
}

mod etcd {
    use lockproof_locks::Coordinator::Etcd;
    use lockproof_testkit::coordinator_is_here;

    use crate::killed::nothing_is_left_of_a_killed_program;

    #[tokio::test]
    async fn paused_it_answers_nobody_and_goes_on() {
        if coordinator_is_here(Etcd).is_ok() {
            super::a_service_that_stands_still_answers_nobody_and_goes_on(Etcd).await;
        }
    }

    #[tokio::test]
    async fn killed_it_still_knows_who_has_the_lock() {
        if coordinator_is_here(Etcd).is_ok() {
            super::a_service_that_died_still_knows_who_has_the_lock(Etcd).await;
        }
    }

    #[tokio::test]
    async fn it_is_spared_what_it_cannot_suffer() {
        if coordinator_is_here(Etcd).is_ok() {
            super::a_service_is_spared_what_it_cannot_suffer(Etcd).await;
        }
    }

    #[tokio::test]
    async fn it_does_not_outlive_a_killed_program() {
        if coordinator_is_here(Etcd).is_ok() {
            nothing_is_left_of_a_killed_program("etcd").await;
        }
    }
}

mod zookeeper {
    use lockproof_locks::Coordinator::ZooKeeper;
    use lockproof_testkit::coordinator_is_here;

    use crate::killed::nothing_is_left_of_a_killed_program;

    #[tokio::test]
    async fn paused_it_answers_nobody_and_goes_on() {
        if coordinator_is_here(ZooKeeper).is_ok() {
            super::a_service_that_stands_still_answers_nobody_and_goes_on(ZooKeeper).await;
        }
    }

    #[tokio::test]
    async fn killed_it_still_knows_who_has_the_lock() {
        if coordinator_is_here(ZooKeeper).is_ok() {
            super::a_service_that_died_still_knows_who_has_the_lock(ZooKeeper).await;
        }
    }

    #[tokio::test]
    async fn it_is_spared_what_it_cannot_suffer() {
        if coordinator_is_here(ZooKeeper).is_ok() {
            super::a_service_is_spared_what_it_cannot_suffer(ZooKeeper).await;
        }
    }

    #[tokio::test]
    async fn it_does_not_outlive_a_killed_program() {
        if coordinator_is_here(ZooKeeper).is_ok() {
            nothing_is_left_of_a_killed_program("zookeeper").await;
        }
    }
}

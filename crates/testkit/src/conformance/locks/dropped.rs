//! What is left of a request whose future was dropped, at each of its await points: nothing, once it was withdrawn.

use futures_util::FutureExt;
use lockproof_locks::{Acquired, Acquisition, AnySession, LockSession, Released, Wait};
use lockproof_model::LockName;
use lockproof_rig::LinkUse::Direct;

use super::{Asks, LONG, POLL, Trial, lock_name, take};
use crate::{Bench, drop_after, drop_once, poll_at_most};

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "a_dropped_acquire_that_is_withdrawn_leaves_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| dropped_acquire(bench).boxed(),
    },
    Trial {
        name: "an_acquire_dropped_once_the_servers_took_it_leaves_nothing_once_withdrawn",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| sent_and_dropped(bench).boxed(),
    },
    Trial {
        name: "an_acquire_of_the_driver_dropped_once_the_servers_took_it_leaves_nothing_once_settled",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| sent_and_dropped_by_the_driver(bench).boxed(),
    },
    Trial {
        name: "a_dropped_first_acquire_that_is_withdrawn_leaves_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| dropped_first_acquire(bench).boxed(),
    },
    Trial {
        name: "a_dropped_release_that_is_withdrawn_leaves_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| dropped_release(bench).boxed(),
    },
    Trial {
        name: "a_dropped_acquire_of_the_driver_leaves_nothing_once_settled",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| dropped_driver_acquire(bench).boxed(),
    },
    Trial {
        name: "a_dropped_release_of_the_driver_leaves_nothing_once_settled",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| dropped_driver_release(bench).boxed(),
    },
];

/// More await points than any request has.
const POLLS: u32 = 200;

async fn dropped_acquire(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    for polls in 1..POLLS {
        let claim = bench.claim(&lock);
        let answer = poll_at_most(session.acquire(&claim, LONG), polls).await;
        session.withdraw(&claim).await.expect("a session survives a dropped acquire");
        assert_eq!(bench.left_over(&lock).await, 0, "dropped after {polls} polls");
        if let Some(answer) = answer {
            assert!(matches!(answer, Ok(Acquired::Granted(_))), "{answer:?}");
            return;
        }
    }
    panic!("an acquire has no end");
}

async fn sent_and_dropped(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    warm_up(bench, &mut session, &lock).await;
    let claim = bench.claim(&lock);
    let answer = drop_when_taken(bench, &lock, session.acquire(&claim, LONG)).await;
    assert!(answer.is_none(), "answered without a server: {answer:?}");
    session.withdraw(&claim).await.expect("a session survives a dropped acquire");
    assert_eq!(bench.left_over(&lock).await, 0, "a withdrawal left something on a server");
    take(&mut session, &bench.claim(&lock), LONG).await;
}

async fn sent_and_dropped_by_the_driver(bench: &Bench) {
    let lock = lock_name();
    let mut first = bench.driver(1, LONG, Wait::NEVER).await;
    let mut second = bench.driver(2, LONG, Wait::NEVER).await;
    warm_up(bench, &mut bench.session(3).await, &lock).await;
    let answer = drop_when_taken(bench, &lock, first.acquire(&lock)).await;
    assert!(answer.is_none(), "answered without a server: {answer:?}");
    first.settle().await;
    assert_eq!(bench.left_over(&lock).await, 0, "a dropped acquire keeps the lock from others");
    let answer = second.acquire(&lock).await;
    assert!(matches!(answer, Ok(Acquisition::Granted { .. })), "{answer:?}");
}

/// Makes the servers know whatever a first request has to teach them, so that the next one is a single message.
async fn warm_up(bench: &Bench, session: &mut AnySession, lock: &LockName) {
    let claim = bench.claim(lock);
    take(session, &claim, LONG).await;
    session.withdraw(&claim).await.expect("the servers answer");
}

/// Drops `acquire` when every server has granted the lock, before it has seen that; `None` where that came off.
async fn drop_when_taken<F: Future>(
    bench: &Bench,
    lock: &LockName,
    acquire: F,
) -> Option<F::Output> {
    if bench.subject.entry.needs.coordinator().is_some() || bench.lives_in_the_database() {
        drop_once(acquire, || async { bench.left_over(lock).await == bench.servers() }).await
    } else {
        drop_after(acquire, taken_everywhere(bench, lock)).await
    }
}

/// Returns once every server has granted the lock, whether or not its holder looks at the answers.
async fn taken_everywhere(bench: &Bench, lock: &LockName) {
    while bench.left_over(lock).await < bench.servers() {
        bench.env.sleep(POLL).await;
    }
}

/// Servers that know no script yet, and a session that asks for the first time.
async fn dropped_first_acquire(bench: &Bench) {
    let lock = lock_name();
    for polls in 1..POLLS {
        bench.forget_scripts().await;
        let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
        let claim = bench.claim(&lock);
        let answer = poll_at_most(first.acquire(&claim, LONG), polls).await;
        second.withdraw(&claim).await.expect("the servers answer");
        assert_eq!(bench.left_over(&lock).await, 0, "dropped after {polls} polls");
        if answer.is_some() {
            return;
        }
    }
    panic!("an acquire has no end");
}

async fn dropped_release(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    for polls in 1..POLLS {
        let claim = bench.claim(&lock);
        let lease = take(&mut session, &claim, LONG).await;
        let answer = poll_at_most(session.release(lease), polls).await;
        session.withdraw(&claim).await.expect("a session survives a dropped release");
        assert_eq!(bench.left_over(&lock).await, 0, "dropped after {polls} polls");
        if let Some(answer) = answer {
            assert!(matches!(answer, Ok(Released::Owned)), "{answer:?}");
            return;
        }
    }
    panic!("a release has no end");
}

async fn dropped_driver_acquire(bench: &Bench) {
    let lock = lock_name();
    let mut first = bench.driver(1, LONG, Wait::NEVER).await;
    let mut second = bench.driver(2, LONG, Wait::NEVER).await;
    for polls in 1..POLLS {
        let answer = poll_at_most(first.acquire(&lock), polls).await;
        let ended = answer.is_some();
        if let Some(Ok(Acquisition::Granted { lease, .. })) = answer {
            first.release(lease).await.expect("the servers answer");
        }
        first.settle().await;
        let Ok(Acquisition::Granted { lease, .. }) = second.acquire(&lock).await else {
            panic!("dropped after {polls} polls, an acquire keeps the lock from others");
        };
        second.release(lease).await.expect("the servers answer");
        if ended {
            return;
        }
    }
    panic!("an acquire has no end");
}

async fn dropped_driver_release(bench: &Bench) {
    let lock = lock_name();
    let mut driver = bench.driver(1, LONG, Wait::NEVER).await;
    for polls in 1..POLLS {
        let Ok(Acquisition::Granted { lease, .. }) = driver.acquire(&lock).await else {
            panic!("a free lock was not granted after {polls} polls");
        };
        let answer = poll_at_most(driver.release(lease), polls).await;
        driver.settle().await;
        if answer.is_some() {
            return;
        }
        assert_eq!(bench.left_over(&lock).await, 0, "dropped after {polls} polls");
    }
    panic!("a release has no end");
}

//! What the driver adds: waiting, and a validity that allows for drift.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join;
use lockproof_locks::{Acquisition, Renewed, Wait};
use lockproof_rig::LinkUse::Direct;

use super::{Asks, LONG, POLL, Trial, lock_name};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "the_driver_waits_until_the_lock_is_given_back",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| waits(bench).boxed(),
    },
    Trial {
        name: "the_driver_gives_up_after_its_tries",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| gives_up(bench).boxed(),
    },
    Trial {
        name: "the_driver_takes_the_drift_off_each_validity",
        asks: Asks::Ends,
        links: Direct,
        run: |bench| takes_off_drift(bench).boxed(),
    },
];

async fn waits(bench: &Bench) {
    let lock = lock_name();
    let wait = Wait { tries: u32::MAX, delay: POLL, jitter: POLL };
    let mut first = bench.driver(1, LONG, Wait::NEVER).await;
    let mut second = bench.driver(2, LONG, wait).await;
    let Ok(Acquisition::Granted { lease, .. }) = first.acquire(&lock).await else {
        panic!("a free lock was not granted");
    };
    let release = async {
        bench.env.sleep(Duration::from_millis(20)).await;
        let released = bench.env.now();
        first.release(lease).await.expect("the servers answer");
        released
    };
    let (waited, released) = join(second.acquire(&lock), release).await;
    let Ok(Acquisition::Granted { lease, requested, tries }) = waited else {
        panic!("waiting for a lock that was given back came to {waited:?}");
    };
    assert!(lease.granted >= released, "granted before it was given back");
    assert!(requested <= lease.granted && tries >= 1);
    assert_eq!(requested, lease.invoked.min(requested), "validity began before the request");
}

async fn gives_up(bench: &Bench) {
    let lock = lock_name();
    let mut first = bench.driver(1, LONG, Wait::NEVER).await;
    let wait = Wait { tries: 3, delay: POLL, jitter: Duration::ZERO };
    let mut second = bench.driver(2, LONG, wait).await;
    let asked = bench.env.now();
    let lease = first.acquire(&lock).await;
    assert!(matches!(lease, Ok(Acquisition::Granted { .. })), "{lease:?}");
    let answer = second.acquire(&lock).await;
    assert!(matches!(answer, Ok(Acquisition::Held { tries: 3 })), "{answer:?}");
    assert!(bench.env.now().saturating_since(asked) >= POLL * 2, "three tries have two delays");
}

async fn takes_off_drift(bench: &Bench) {
    let mut driver = bench.driver(1, LONG, Wait::NEVER).await;
    let Ok(Acquisition::Granted { mut lease, .. }) = driver.acquire(&lock_name()).await else {
        panic!("a free lock was not granted");
    };
    let promised = |lease: &lockproof_model::Lease| lease.invoked + LONG - bench.allowance(LONG);
    assert_eq!(lease.valid_until, promised(&lease));
    assert!(driver.remaining(&lease) <= LONG - bench.allowance(LONG));
    if bench.subject.entry.renews {
        let answer = driver.renew(&mut lease).await.expect("the servers answer");
        assert_eq!(answer, Renewed::Extended);
        assert_eq!(lease.valid_until, promised(&lease));
    }
}

//! Servers that do not answer.

use std::time::Duration;

use futures_util::FutureExt;
use lockproof_locks::{Acquired, Acquisition, Certainty, Driver, Lock, LockSession, Policy, Wait};
use lockproof_model::{HolderId, LockName};
use lockproof_rig::{LinkEffect, LinkUse::Shared, Rig};

use super::{Asks, LONG, Trial, lock_name, take};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "an_acquire_without_an_answer_is_unknown_and_can_be_withdrawn",
        asks: Asks::Nothing,
        links: Shared,
        run: |bench| without_an_answer(bench).boxed(),
    },
    Trial {
        name: "the_driver_withdraws_what_was_not_answered_once_the_servers_do",
        asks: Asks::Nothing,
        links: Shared,
        run: |bench| driver_withdraws(bench).boxed(),
    },
    Trial {
        name: "a_backend_that_cannot_be_reached_is_a_definite_error_of_open",
        asks: Asks::Nothing,
        links: Shared,
        run: |bench| out_of_reach(bench).boxed(),
    },
];

/// How long a lock waits for a server that does not answer; longer for one that writes everything to disk first.
fn limit(bench: &Bench) -> Duration {
    let is_durable = bench.subject.entry.needs.coordinator().is_some();
    Duration::from_millis(if is_durable { 2000 } else { 100 })
}

async fn without_an_answer(bench: &Bench) {
    let lock = lock_name();
    let mut patient = bench.session(1).await;
    let mut hasty =
        bench.lock_within(limit(bench)).open(HolderId(2)).await.expect("the servers answer");
    let links = bench.links();
    // Whatever has to be there before a request can leave.
    let first = bench.claim(&LockName::new("another"));
    take(&mut hasty, &first, LONG).await;
    let held = bench.rig.disturb(&links, &[], LinkEffect::Hold).expect("links with a proxy");
    let claim = bench.claim(&lock);
    let error = hasty.acquire(&claim, LONG).await.expect_err("no server answers");
    assert_eq!(error.certainty(), Certainty::Indefinite, "{error}: nobody knows");
    assert!(held.heal().is_some(), "the request never left");
    // What was held arrives now, in order: first the request, then what undoes it.
    patient.withdraw(&claim).await.expect("the servers answer");
    assert_eq!(bench.left_over(&lock).await, 0, "a withdrawal left something on a server");
    take(&mut patient, &bench.claim(&lock), LONG).await;
}

async fn driver_withdraws(bench: &Bench) {
    let lock = lock_name();
    let policy = Policy { ttl: LONG, wait: Wait::NEVER, drift: lockproof_locks::Drift::default() };
    let hasty = bench.lock_within(limit(bench));
    let mut driver = Driver::open(bench.env.clone(), &hasty, HolderId(1), policy, 1)
        .await
        .expect("the servers answer");
    let mut patient = bench.session(2).await;
    let links = bench.links();
    // As above.
    let answer = driver.acquire(&LockName::new("another")).await;
    assert!(matches!(answer, Ok(Acquisition::Granted { .. })), "{answer:?}");
    let held = bench.rig.disturb(&links, &[], LinkEffect::Hold).expect("links with a proxy");
    let answer = driver.acquire(&lock).await;
    let Err(error) = answer else { panic!("{answer:?} though no server answers") };
    assert!(!error.is_definite(), "{error}: nobody knows");
    drop(held.heal());
    driver.settle().await;
    assert_eq!(bench.left_over(&lock).await, 0, "the driver left something on a server");
    let answer = patient.acquire(&bench.claim(&lock), LONG).await.expect("the servers answer");
    assert!(matches!(answer, Acquired::Granted(_)), "{answer:?}");
    let answer = driver.acquire(&lock).await;
    assert!(matches!(answer, Ok(Acquisition::Held { .. }) | Err(_)), "{answer:?}");
}

async fn out_of_reach(bench: &Bench) {
    let links = bench.links();
    let held = bench.rig.disturb(&links, &[], LinkEffect::Hold).expect("links with a proxy");
    let hasty = bench.lock_within(limit(bench));
    let error = hasty.open(HolderId(1)).await.expect_err("no server answers");
    assert!(error.is_definite(), "{error}: nothing was asked for, so nothing is unknown");
    drop(held);
    // A drop heals as well; the connection that was being dialled is there now or dialled anew.
    take(&mut bench.session(1).await, &bench.claim(&lock_name()), LONG).await;
}

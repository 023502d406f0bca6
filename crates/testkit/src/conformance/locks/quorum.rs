//! A majority of several servers decides.

use std::time::Duration;

use futures_util::FutureExt;
use lockproof_locks::{Acquired, Certainty, Lock, LockSession, Released, Renewed};
use lockproof_model::HolderId;
use lockproof_rig::{Disturbance, LinkEffect, LinkSelector, LinkUse::Shared, Rig};

use super::{Asks, LONG, Trial, find_held, flush, lock_name, take};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "without_a_minority_everything_goes_on",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| without_a_minority(bench).boxed(),
    },
    Trial {
        name: "a_session_opens_without_a_minority_and_not_without_a_majority",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| opens(bench).boxed(),
    },
    Trial {
        name: "without_a_majority_an_acquire_is_unknown_and_leaves_nothing_once_withdrawn",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| without_a_majority(bench).boxed(),
    },
    Trial {
        name: "a_quorum_that_comes_too_late_is_no_grant",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| too_late(bench).boxed(),
    },
    Trial {
        name: "a_renewal_that_failed_releases_nothing",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| failed_renewal(bench).boxed(),
    },
    Trial {
        name: "a_release_reaches_the_servers_that_answer_late",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| late_servers(bench).boxed(),
    },
    Trial {
        name: "a_refused_claim_is_taken_back_from_the_servers_that_answer_late",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| late_servers_of_a_refused_claim(bench).boxed(),
    },
    Trial {
        name: "a_minority_that_forgot_the_lock_does_not_give_it_away",
        asks: Asks::Quorum,
        links: Shared,
        run: |bench| forgetful_minority(bench).boxed(),
    },
];

/// How long a lock waits for a server that does not answer.
const LIMIT: Duration = Duration::from_millis(100);

fn hold(bench: &Bench, which: LinkSelector) -> Box<dyn Disturbance> {
    let links = which.resolve(bench.servers());
    bench.rig.disturb(&links, &[], LinkEffect::Hold).expect("links with a proxy")
}

async fn without_a_minority(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let held = hold(bench, LinkSelector::Minority);
    let mut lease = take(&mut first, &bench.claim(&lock), LONG).await;
    find_held(&mut second, &bench.claim(&lock)).await;
    assert_eq!(first.renew(&mut lease, LONG).await.expect("a quorum"), Renewed::Extended);
    assert_eq!(first.release(lease).await.expect("a quorum"), Released::Owned);
    let next = take(&mut second, &bench.claim(&lock), LONG).await;
    assert!(held.heal().is_some(), "nothing was sent to the minority");
    // Everything that was held arrives now, in order, and changes nothing.
    flush(bench, &mut first).await;
    find_held(&mut first, &bench.claim(&lock)).await;
    assert_eq!(second.release(next).await.expect("all answer"), Released::Owned);
}

async fn opens(bench: &Bench) {
    let minority = hold(bench, LinkSelector::Minority);
    // Tried again where the machine, not the lock, was too slow for the limit: open says so for certain.
    let mut limit = LIMIT;
    loop {
        match bench.lock_within(limit).open(HolderId(1)).await {
            Ok(_) => break,
            Err(error) => assert!(error.is_definite() && limit < LONG, "{error}"),
        }
        limit *= 2;
    }
    drop(minority.heal());
    let majority = hold(bench, LinkSelector::Majority);
    // A holder whose connections are not dialled yet has none to share here: the links are everybody's.
    let mut session = bench.lock_within(LIMIT).open(HolderId(2)).await;
    if let Ok(session) = &mut session {
        // Connections that stand are shared; then it is the first request that finds out.
        let error = session.acquire(&bench.claim(&lock_name()), LONG).await;
        assert_eq!(error.expect_err("no quorum").certainty(), Certainty::Indefinite);
    }
    drop(majority);
}

async fn without_a_majority(bench: &Bench) {
    let lock = lock_name();
    let mut patient = bench.session(1).await;
    let mut hasty = bench.lock_within(LIMIT).open(HolderId(2)).await.expect("the servers answer");
    let held = hold(bench, LinkSelector::Majority);
    let claim = bench.claim(&lock);
    let error = hasty.acquire(&claim, LONG).await.expect_err("no quorum");
    assert_eq!(error.certainty(), Certainty::Indefinite, "{error}: nobody knows");
    hasty.withdraw(&claim).await.expect_err("a withdrawal that missed a server did not work");
    assert!(held.heal().is_some(), "nothing was sent to the majority");
    patient.withdraw(&claim).await.expect("the servers answer");
    assert_eq!(bench.left_over(&lock).await, 0, "a withdrawal left something on a server");
    take(&mut patient, &bench.claim(&lock), LONG).await;
}

async fn too_late(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    let links = LinkSelector::AllRedis.resolve(bench.servers());
    let delay = LinkEffect::Delay { by: Duration::from_millis(40), jitter: Duration::ZERO };
    let delayed = bench.rig.disturb(&links, &[], delay).expect("links with a proxy");
    // There and back takes 80 ms, so a TTL of 50 ms is over when the quorum is there.
    let claim = bench.claim(&lock);
    let answer = session.acquire(&claim, Duration::from_millis(50)).await;
    assert!(!matches!(answer, Ok(Acquired::Granted(_))), "granted after its TTL: {answer:?}");
    drop(delayed.heal());
    session.withdraw(&claim).await.expect("the servers answer");
    assert_eq!(bench.left_over(&lock).await, 0, "a late quorum left something on a server");
}

async fn failed_renewal(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let mut hasty = bench.lock_within(LIMIT).open(HolderId(3)).await.expect("the servers answer");
    let mut lease = take(&mut first, &bench.claim(&lock), LONG).await;
    let before = lease.clone();
    let held = hold(bench, LinkSelector::Majority);
    let error = hasty.renew(&mut lease, LONG).await.expect_err("no quorum");
    assert_eq!(error.certainty(), Certainty::Indefinite, "{error}: nobody knows");
    assert_eq!(lease, before, "after an error only the old validity may be trusted");
    drop(held.heal());
    flush(bench, &mut first).await;
    assert_eq!(bench.left_over(&lock).await, bench.servers(), "a failed renewal released");
    find_held(&mut second, &bench.claim(&lock)).await;
    assert_eq!(first.release(lease).await.expect("all answer"), Released::Owned);
}

/// A release returns once a quorum has answered; the others must have been asked all the same, and asked in a way
/// that needs no second message: nobody would send it.
async fn late_servers(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    let lease = take(&mut session, &bench.claim(&lock), LONG).await;
    let held = hold(bench, LinkSelector::Minority);
    assert_eq!(session.release(lease).await.expect("a quorum"), Released::Owned);
    assert!(held.heal().is_some(), "the minority was not asked");
    flush(bench, &mut session).await;
    assert_eq!(bench.left_over(&lock).await, 0, "a release left orphans on servers");
}

async fn late_servers_of_a_refused_claim(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let standing = bench.claim(&lock);
    take(&mut first, &standing, LONG).await;
    let minority = LinkSelector::Minority.resolve(bench.servers());
    for server in 0..minority.len() {
        bench.forget(server, &lock).await;
    }
    let held = hold(bench, LinkSelector::Minority);
    let refused = bench.claim(&lock);
    let answer = second.acquire(&refused, LONG).await;
    assert!(!matches!(answer, Ok(Acquired::Granted(_))), "granted twice: {answer:?}");
    drop(held.heal());
    flush(bench, &mut second).await;
    let owners = bench.owners(&lock).await;
    let orphans = owners.iter().flatten().filter(|owner| *owner == refused.owner.as_str());
    assert_eq!(orphans.count(), 0, "a refused claim ({answer:?}) left orphans on servers");
}

async fn forgetful_minority(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take(&mut first, &bench.claim(&lock), LONG).await;
    for server in 0..LinkSelector::Minority.resolve(bench.servers()).len() {
        bench.forget(server, &lock).await;
    }
    find_held(&mut second, &bench.claim(&lock)).await;
    assert_eq!(first.release(lease).await.expect("all answer"), Released::Owned);
}

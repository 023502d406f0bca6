//! One holder at a time, and nobody ends the grant of another.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use lockproof_locks::{Acquired, Lock, LockSession, Released};
use lockproof_model::{HolderId, Lease, LockName};
use lockproof_rig::LinkUse::Direct;

use super::{Asks, LONG, Trial, find_held, flush, lock_name, take};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "a_second_claim_is_held_while_the_first_stands",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| second_claim(bench).boxed(),
    },
    Trial {
        name: "at_most_one_of_concurrent_claims_is_granted",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| concurrent_claims(bench).boxed(),
    },
    Trial {
        name: "a_claim_that_found_the_lock_held_leaves_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| held_leaves_nothing(bench).boxed(),
    },
    Trial {
        name: "locks_of_other_names_are_free",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| other_names(bench).boxed(),
    },
    Trial {
        name: "names_that_differ_in_one_character_share_no_lock",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| no_name_is_shared(bench).boxed(),
    },
    Trial {
        name: "opening_a_session_takes_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| opening_takes_nothing(bench).boxed(),
    },
    Trial {
        name: "only_the_owner_releases",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| only_the_owner_releases(bench).boxed(),
    },
    Trial {
        name: "a_released_lock_is_free_and_leaves_nothing",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| released_is_free(bench).boxed(),
    },
    Trial {
        name: "a_lease_says_what_was_granted",
        asks: Asks::Ends,
        links: Direct,
        run: |bench| lease_says(bench).boxed(),
    },
    Trial {
        name: "a_ttl_that_rounding_would_shorten_is_refused_for_certain",
        asks: Asks::Ends,
        links: Direct,
        run: |bench| crooked_ttl(bench).boxed(),
    },
    Trial {
        name: "a_withdrawn_claim_frees_the_lock",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| withdrawn(bench).boxed(),
    },
    Trial {
        name: "withdrawing_a_claim_that_never_happened_is_harmless",
        asks: Asks::Nothing,
        links: Direct,
        run: |bench| never_happened(bench).boxed(),
    },
];

async fn second_claim(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    take(&mut first, &bench.claim(&lock), LONG).await;
    find_held(&mut second, &bench.claim(&lock)).await;
    // Not even its own holder may enter twice: a claim is one entry.
    find_held(&mut first, &bench.claim(&lock)).await;
}

async fn concurrent_claims(bench: &Bench) {
    let lock = lock_name();
    let mut sessions = join_all((1..=8).map(|holder| bench.session(holder))).await;
    let claims: Vec<_> = sessions.iter().map(|_| bench.claim(&lock)).collect();
    let asked = sessions.iter_mut().zip(&claims);
    let answers = join_all(asked.map(|(session, claim)| session.acquire(claim, LONG))).await;
    let granted = answers.iter().filter(|answer| matches!(answer, Ok(Acquired::Granted(_))));
    assert!(granted.count() <= 1, "concurrent claims were granted twice: {answers:?}");
    for (session, claim) in sessions.iter_mut().zip(&claims) {
        session.withdraw(claim).await.expect("the servers answer");
    }
    assert_eq!(bench.left_over(&lock).await, 0, "withdrawn claims left something");
}

async fn held_leaves_nothing(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let held = bench.claim(&lock);
    take(&mut first, &held, LONG).await;
    // Where a quorum decides, the others may be free, and the loser may have taken them for a moment.
    for server in 0..bench.servers().saturating_sub(bench.servers() / 2 + 1) {
        bench.forget(server, &lock).await;
    }
    let refused = bench.claim(&lock);
    find_held(&mut second, &refused).await;
    flush(bench, &mut second).await;
    let owners = bench.owners(&lock).await;
    let of_refused = owners.iter().flatten().filter(|owner| *owner == refused.owner.as_str());
    assert_eq!(of_refused.count(), 0, "a claim that was told `held` is left on a server");
}

async fn other_names(bench: &Bench) {
    let mut session = bench.session(1).await;
    for name in ["seat-1", "seat-2", "seat-1:fence", "{seat-1}"] {
        take(&mut session, &bench.claim(&LockName::new(name)), LONG).await;
    }
}

/// Where names are hashed, and to how few bits (failure mode F48).
async fn no_name_is_shared(bench: &Bench) {
    // What a session has ends with it.
    let mut sessions = Vec::new();
    for holder in 1..=8 {
        let mut session = bench.session(holder).await;
        let name = LockName::new(&format!("seat-{holder}"));
        take(&mut session, &bench.claim(&name), LONG).await;
        sessions.push(session);
    }
}

async fn opening_takes_nothing(bench: &Bench) {
    let locked = bench.lock();
    drop(locked.open(HolderId(1)).await.expect("the backend answers"));
    for server in 0..bench.servers() {
        let keys = bench.keys(server).await;
        assert_eq!(keys, 0, "a session that did nothing left something on a server");
    }
}

async fn only_the_owner_releases(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take(&mut first, &bench.claim(&lock), LONG).await;
    let forged = Lease { claim: bench.claim(&lock), ..lease.clone() };
    let answer = second.release(forged).await.expect("the servers answer");
    assert_eq!(answer, Released::Lost, "another owner value released the lock");
    find_held(&mut second, &bench.claim(&lock)).await;
    let answer = first.release(lease).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned, "the owner did not have it any more");
}

async fn released_is_free(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    for holder in 2..=4 {
        let lease = take(&mut session, &bench.claim(&lock), LONG).await;
        let answer = session.release(lease).await.expect("the servers answer");
        assert_eq!(answer, Released::Owned);
        flush(bench, &mut session).await;
        assert_eq!(bench.left_over(&lock).await, 0, "a release left something on a server");
        session = bench.session(holder).await;
    }
}

async fn lease_says(bench: &Bench) {
    let mut session = bench.session(1).await;
    let claim = bench.claim(&lock_name());
    let before = bench.env.now();
    let lease = take(&mut session, &claim, LONG).await;
    let after = bench.env.now();
    assert_eq!(lease.claim, claim);
    assert!(before <= lease.invoked && lease.invoked <= lease.granted && lease.granted <= after);
    let ttl = lease.ttl.expect("the lock has leases");
    assert_eq!(ttl, LONG);
    assert!(lease.valid_until <= lease.invoked + ttl, "validity counts from the invocation");
    assert_eq!(lease.fencing_token.is_some(), bench.subject.draw_tokens);
}

async fn crooked_ttl(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(1500)] {
        let error = session.acquire(&bench.claim(&lock), ttl).await.expect_err("a crooked TTL");
        assert!(error.is_definite(), "{ttl:?} was never sent, and the error does not say so");
    }
    assert_eq!(bench.left_over(&lock).await, 0);
    let mut lease = take(&mut session, &bench.claim(&lock), LONG).await;
    if bench.subject.entry.renews {
        let before = lease.clone();
        let error = session.renew(&mut lease, Duration::ZERO).await.expect_err("a crooked TTL");
        assert!(error.is_definite());
        assert_eq!(lease, before, "a refused renewal changed the lease");
    }
}

async fn withdrawn(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let claim = bench.claim(&lock);
    take(&mut first, &claim, LONG).await;
    // By another session: the driver withdraws over one of its own.
    second.withdraw(&claim).await.expect("the servers answer");
    assert_eq!(bench.left_over(&lock).await, 0, "a withdrawal left something on a server");
    take(&mut second, &bench.claim(&lock), LONG).await;
}

async fn never_happened(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    second.withdraw(&bench.claim(&lock)).await.expect("the servers answer");
    let lease = take(&mut first, &bench.claim(&lock), LONG).await;
    second.withdraw(&bench.claim(&lock)).await.expect("the servers answer");
    find_held(&mut second, &bench.claim(&lock)).await;
    let answer = first.release(lease).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned, "a stranger's withdrawal released the lock");
}

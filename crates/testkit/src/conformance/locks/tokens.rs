//! Fencing tokens strictly increase with every grant.

use futures_util::FutureExt;
use lockproof_locks::LockSession;
use lockproof_model::{FencingToken, Lease};
use lockproof_rig::{LinkUse::Direct, Rig};

use super::{Asks, LONG, Trial, find_held, lock_name, take};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "tokens_strictly_increase_with_every_grant",
        asks: Asks::Tokens,
        links: Direct,
        run: |bench| increase(bench).boxed(),
    },
    Trial {
        name: "a_renewal_keeps_its_token",
        asks: Asks::Tokens,
        links: Direct,
        run: |bench| renewal_keeps(bench).boxed(),
    },
];

async fn increase(bench: &Bench) {
    let lock = lock_name();
    let mut last = FencingToken(0);
    for holder in 1..=6 {
        let mut session = bench.session(holder).await;
        let lease = take(&mut session, &bench.claim(&lock), LONG).await;
        let token = token_of(&lease);
        assert!(token > last, "{token} was drawn after {last}");
        last = token;
        find_held(&mut session, &bench.claim(&lock)).await;
        // However a grant ends: given back, withdrawn, or lost by the server.
        match holder % 3 {
            0 => drop(session.release(lease).await.expect("the servers answer")),
            1 => session.withdraw(&lease.claim).await.expect("the servers answer"),
            _ => drop(bench.rig.expire_lock(&lock).await.expect("the servers answer")),
        }
    }
}

async fn renewal_keeps(bench: &Bench) {
    let mut session = bench.session(1).await;
    let mut lease = take(&mut session, &bench.claim(&lock_name()), LONG).await;
    let token = token_of(&lease);
    session.renew(&mut lease, LONG).await.expect("the servers answer");
    assert_eq!(token_of(&lease), token);
}

fn token_of(lease: &Lease) -> FencingToken {
    lease.fencing_token.expect("a lock that is built to draw tokens draws them")
}

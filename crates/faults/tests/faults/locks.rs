//! `expire-lock`: the servers drop a lock under its holder.

use std::time::Duration;

use lockproof_locks::{Acquired, LockSession, Released};
use lockproof_model::LockName;
use lockproof_rig::LinkUse::Direct;

use crate::support::{HOLDER, after_check, bench, fault, occasion};

#[tokio::test]
async fn a_lock_that_was_expired_is_gone_from_every_server() {
    for (lock, observed) in [
        ("redis-set-nx", "the lock was gone from 1 of 1 servers"),
        ("redlock", "the lock was gone from 5 of 5 servers"),
    ] {
        let bench = bench(lock, Direct).await;
        let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
        let name = LockName::new("seat-1");
        let ttl = Duration::from_secs(60);
        let Ok(Acquired::Granted(lease)) = first.acquire(&bench.claim(&name), ttl).await else {
            panic!("a free lock was not granted");
        };
        let here = after_check(HOLDER);
        let expire = fault("expire-lock", []);
        let injection = expire.inject(&bench.rig, occasion(&bench.env, Some(&here))).await.unwrap();
        assert!(!injection.holds_step(), "the holder goes on and knows nothing");
        assert_eq!(bench.left_over(&name).await, 0);
        let answer = second.acquire(&bench.claim(&name), ttl).await.unwrap();
        assert!(matches!(answer, Acquired::Granted(_)), "{answer:?}");
        let healed = injection.heal(bench.env.now()).await;
        assert!(healed.bit);
        assert_eq!(healed.observed, observed);
        assert_eq!(first.release(lease).await.unwrap(), Released::Lost);
    }
}

#[tokio::test]
async fn a_lock_that_nobody_has_cannot_be_expired() {
    let bench = bench("redis-set-nx", Direct).await;
    let here = after_check(HOLDER);
    let expire = fault("expire-lock", []);
    let injection = expire.inject(&bench.rig, occasion(&bench.env, Some(&here))).await.unwrap();
    assert!(!injection.heal(bench.env.now()).await.bit);
}

#[tokio::test]
async fn a_lock_is_expired_under_a_holder_or_not_at_all() {
    let bench = bench("redis-set-nx", Direct).await;
    let error = fault("expire-lock", []).inject(&bench.rig, occasion(&bench.env, None)).await;
    assert_eq!(error.unwrap_err().to_string(), "expire-lock needs a holder's step to fire at");
}

//! rslock, Rust's own Redlock.

use std::time::Duration;

use ::rslock::{LockError, LockManager};

use crate::models::Models;

const TTL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn rslock_works_on_one_server_and_on_three() {
    for servers in [1, 3] {
        let models = Models::serve(servers);
        let (mine, mut theirs) = (LockManager::new(models.urls()), LockManager::new(models.urls()));
        theirs.set_retry(1, Duration::ZERO);
        let lock = mine.lock("slot:1", TTL).await.expect("it is free");
        let refused = theirs.lock("slot:1", TTL).await;
        assert!(matches!(refused, Err(LockError::Unavailable)), "{refused:?}");
        let lock = mine.extend(&lock, TTL * 2).await.expect("it is held");
        mine.unlock(&lock).await;
        assert!(mine.extend(&lock, TTL).await.is_err(), "nothing to extend");
        let next = theirs.lock("slot:1", TTL).await.expect("it was given back");
        theirs.unlock(&next).await;
    }
}

#[tokio::test]
async fn an_rslock_lease_ends_by_itself() {
    let models = Models::serve(3);
    let (mine, mut theirs) = (LockManager::new(models.urls()), LockManager::new(models.urls()));
    let stale = mine.lock("slot:2", Duration::from_millis(100)).await.expect("it is free");
    theirs.set_retry(500, Duration::from_millis(20));
    let next = theirs.lock("slot:2", TTL).await.expect("the lease ended");
    mine.unlock(&stale).await;
    let kept = theirs.extend(&next, TTL).await;
    kept.expect("a stale release leaves the successor's alone");
}

//! Faults of live servers: each is done, proved, healed, and proved to be healed.
#![expect(
    clippy::future_not_send,
    reason = "a session is not to be shared, and a test stays on its thread"
)]

use std::time::Duration;

use lockproof_faults::{Fault, Healed, Injection};
use lockproof_locks::{Acquired, AnySession, Lock, LockSession};
use lockproof_model::LockName;
use lockproof_rig::{LinkUse, ServerEffect};
use lockproof_testkit::{Bench, Subject};

use crate::support::{fault, in_time, number, occasion};

const TTL: Duration = Duration::from_secs(60);

/// One lock held on one server, and a fault that is about to come.
struct Trial {
    bench: Bench,
    lock: LockName,
    session: AnySession,
}

impl Trial {
    async fn on(provider: &str, fault: &dyn Fault) -> Self {
        let entry = lockproof_locks::find("redis-set-nx").expect("the catalog has it");
        let subject = Subject { entry, draw_tokens: false, adapter: None, database: None };
        let needs = fault.server_effect().map(ServerEffect::needs).expect("it is one of servers");
        let bench = Bench::start_needing(subject, provider, LinkUse::Direct, needs).await;
        let bench = bench.expect("the server starts");
        let session = bench.session(1).await;
        let mut trial = Self { bench, lock: LockName::new("seat-1"), session };
        trial.lock_it().await;
        trial
    }

    /// Takes the lock; a connection that ended meanwhile is found out by the first request.
    async fn lock_it(&mut self) {
        let lock = async {
            loop {
                let claim = self.bench.claim(&self.lock);
                match self.session.acquire(&claim, TTL).await {
                    Ok(answer) => break assert!(matches!(answer, Acquired::Granted(_))),
                    Err(_) => self.session = self.bench.session(1).await,
                }
            }
        };
        in_time(&self.bench.env, lock).await;
        assert!(self.is_locked().await);
    }

    async fn is_locked(&self) -> bool {
        in_time(&self.bench.env, self.bench.left_over(&self.lock)).await == 1
    }

    /// Whether the server answers at all within a moment.
    async fn answers(&self) -> bool {
        let Some(mut session) = in_time(&self.bench.env, self.opened()).await else { return false };
        let claim = self.bench.claim(&LockName::new("another"));
        let acquire = session.acquire(&claim, TTL);
        matches!(self.bench.env.timeout(Duration::from_millis(200), acquire).await, Ok(Ok(_)))
    }

    async fn opened(&self) -> Option<AnySession> {
        let lock = self.bench.lock_within(Duration::from_millis(200));
        lock.open(lockproof_model::HolderId(2)).await.ok()
    }

    async fn inject(&self, fault: &dyn Fault) -> Box<dyn Injection> {
        let occasion = occasion(&self.bench.env, None);
        in_time(&self.bench.env, fault.inject(&self.bench.rig, occasion)).await.expect("it can")
    }

    async fn heal(&self, injection: Box<dyn Injection>) -> Healed {
        in_time(&self.bench.env, injection.heal(self.bench.env.now())).await
    }
}

fn named(name: &str, fields: &[(&str, &str)]) -> std::sync::Arc<dyn Fault> {
    match fields {
        [] => fault(name, [("servers", "redis-1")]),
        [one] => fault(name, [("servers", "redis-1"), *one]),
        _ => panic!("no fault here has more fields"),
    }
}

async fn pause(provider: &str) -> Healed {
    let fault = named("pause-server", &[]);
    let trial = Trial::on(provider, &*fault).await;
    let injection = trial.inject(&*fault).await;
    assert!(!trial.answers().await, "a server that stands still answered");
    let healed = trial.heal(injection).await;
    assert!(trial.answers().await && trial.is_locked().await);
    healed
}

async fn crash(provider: &str, keeps: &str) -> (Healed, bool) {
    let fault = named("crash-server", &[("keeps", keeps)]);
    let mut trial = Trial::on(provider, &*fault).await;
    let injection = trial.inject(&*fault).await;
    assert!(!trial.answers().await, "a dead server answered");
    let healed = trial.heal(injection).await;
    let kept = trial.is_locked().await;
    if !kept {
        trial.lock_it().await;
    }
    assert!(trial.answers().await);
    (healed, kept)
}

async fn jump(provider: &str, by: &str) -> (Healed, bool) {
    let fault = named("clock-jump", &[("by", by)]);
    let trial = Trial::on(provider, &*fault).await;
    let injection = trial.inject(&*fault).await;
    let healed = trial.heal(injection).await;
    (healed, trial.is_locked().await)
}

async fn drift(provider: &str) -> Healed {
    let fault = number("clock-drift", [("servers", "redis-1")], ("rate", 100.0));
    let trial = Trial::on(provider, &*fault).await;
    let injection = trial.inject(&*fault).await;
    // A minute of TTL passes in 600 ms.
    while trial.is_locked().await {
        trial.bench.env.sleep(Duration::from_millis(10)).await;
    }
    trial.heal(injection).await
}

async fn at_once(name: &str, provider: &str) -> Healed {
    let fault = named(name, &[]);
    let mut trial = Trial::on(provider, &*fault).await;
    let injection = trial.inject(&*fault).await;
    assert!(!trial.is_locked().await, "the key is there still");
    let healed = trial.heal(injection).await;
    // Writes are taken again: what pressed the memory is gone.
    trial.lock_it().await;
    healed
}

#[track_caller]
fn assert_observed(healed: &Healed, beginning: &str) {
    assert!(healed.bit, "{healed:?}");
    assert!(healed.observed.starts_with(beginning), "{healed:?}");
}

mod embedded {
    use super::*;

    const ON: &str = "embedded";

    #[tokio::test]
    async fn a_paused_server_stands_still_and_goes_on() {
        assert_observed(&pause(ON).await, "redis-1 stood still");
    }

    #[tokio::test]
    async fn a_crash_keeps_what_it_says() {
        let (healed, kept) = crash(ON, "nothing").await;
        assert_observed(&healed, "redis-1 died; redis-1 was started again without 1 keys");
        assert!(!kept);
        let (healed, kept) = crash(ON, "everything").await;
        assert_observed(&healed, "redis-1 died");
        assert!(kept);
    }

    #[tokio::test]
    async fn a_clock_jumps_past_a_ttl_and_drifts_past_one() {
        let (healed, locked) = jump(ON, "+2m").await;
        assert_observed(&healed, "redis-1 TIME went from ");
        assert!(!locked);
        assert!(jump(ON, "-2m").await.1);
        assert_observed(&drift(ON).await, "redis-1 TIME went on by ");
    }

    #[tokio::test]
    async fn keys_go_at_once() {
        assert_observed(&at_once("evict", ON).await, "redis-1 evicted 1 keys");
        assert_observed(&at_once("flush-all", ON).await, "redis-1 lost 1 keys");
    }
}

mod redis_server {
    use super::*;

    const ON: &str = "process";

    #[tokio::test]
    async fn a_paused_server_stands_still_and_goes_on() {
        let healed = pause(ON).await;
        assert_observed(&healed, "redis-1 stopped (process ");
        assert!(healed.observed.contains("in state T"), "{healed:?}");
    }

    #[tokio::test]
    async fn a_crash_without_persistence_loses_the_lock() {
        let (healed, kept) = crash(ON, "nothing").await;
        assert_observed(&healed, "redis-1 died (process ");
        assert!(healed.observed.ends_with("restarted without 1 keys"), "{healed:?}");
        assert!(!kept);
    }

    #[tokio::test]
    async fn a_crash_under_appendfsync_always_keeps_the_lock() {
        let (healed, kept) = crash(ON, "everything").await;
        assert_observed(&healed, "redis-1 died (process ");
        assert!(kept);
    }

    /// Which second the lock was taken in is the clock's affair; that the evidence tells of it is ours.
    #[tokio::test]
    async fn a_crash_under_everysec_loses_what_its_evidence_says() {
        let (healed, kept) = crash(ON, "every-second").await;
        assert_observed(&healed, "redis-1 died (process ");
        assert_eq!(healed.observed.contains("restarted without 1 keys"), !kept, "{healed:?}");
        assert_eq!(healed.observed.contains("bytes of its append-only file"), !kept, "{healed:?}");
    }

    #[tokio::test]
    async fn a_clock_jumps_past_a_ttl() {
        let (healed, locked) = jump(ON, "+2m").await;
        assert_observed(&healed, "redis-1 TIME went from ");
        assert!(!locked);
    }

    #[tokio::test]
    async fn a_clock_that_jumps_back_ends_no_lease() {
        assert!(jump(ON, "-2m").await.1);
    }

    #[tokio::test]
    async fn a_clock_drifts_past_a_ttl() {
        assert_observed(&drift(ON).await, "redis-1 TIME went on by ");
    }

    #[tokio::test]
    async fn memory_pressure_evicts_the_lock() {
        assert_observed(&at_once("evict", ON).await, "redis-1 evicted 1 keys (maxmemory 1");
    }

    #[tokio::test]
    async fn flushall_takes_the_lock() {
        assert_observed(&at_once("flush-all", ON).await, "redis-1 lost 1 keys to FLUSHALL");
    }

    #[tokio::test]
    async fn a_replica_that_was_behind_lacks_the_lock() {
        let fault = named("failover", &[("lag", "1m")]);
        let mut trial = Trial::on(ON, &*fault).await;
        let injection = trial.inject(&*fault).await;
        assert!(!trial.is_locked().await, "a replica a minute behind has the lock");
        let healed = trial.heal(injection).await;
        assert_observed(&healed, "redis-1 has its replica in its place (process ");
        assert!(healed.observed.ends_with("its replica without 1 keys"), "{healed:?}");
        trial.lock_it().await;
        // There was one replica.
        let occasion = occasion(&trial.bench.env, None);
        let error = fault.inject(&trial.bench.rig, occasion).await.expect_err("no replica is left");
        assert!(error.to_string().contains("no replica"), "{error}");
    }
}

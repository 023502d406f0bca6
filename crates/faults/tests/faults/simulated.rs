//! Faults that the simulated world alone can do, on model servers and virtual links.

use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::{Constraints, Layout};
use lockproof_env::Env;
use lockproof_faults::{Healed, Occasion, Worlds};
use lockproof_locks::{
    Acquired, AnyLock, AnySession, Lock, LockError, LockSession, LockSettings, Released,
};
use lockproof_model::{Claim, LockName, OwnerValue, Point, Step};
use lockproof_rig::sim::SimRig;
use lockproof_rig::{Keeps, LinkUse, RigPlan, ServerNeeds, System};
use lockproof_sim::Simulation;

use crate::support::{HOLDER, OTHER, fault, number, occurrence};

const TTL: Duration = Duration::from_millis(500);
/// How long clients wait for an answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// A lock on model servers.
struct World {
    env: Env,
    rig: Arc<SimRig>,
    lock: AnyLock,
}

impl World {
    fn new(simulation: &Simulation, lock: &str) -> Self {
        let entry = lockproof_locks::find(lock).expect("the catalog has it");
        let settings = LockSettings {
            time_limit: PATIENCE,
            server_time_limit: PATIENCE,
            ..LockSettings::default()
        };
        let plan = RigPlan {
            name: "faults".to_owned(),
            holders: 2,
            redis_servers: entry.needs.redis_servers(),
            links: LinkUse::PerHolder,
            lock: settings.clone(),
            needs: ServerNeeds { keeps: Keeps::EverySecond, ..ServerNeeds::default() },
            coordinator: None,
            topology: lockproof_rig::Topology::default(),
            database: lockproof_rig::DatabasePlan::default(),
            layout: Layout { slots: 1, capacity: 1, constraints: Constraints::NONE },
            seed: 1,
        };
        let env = simulation.env();
        let rig = Arc::new(SimRig::new(simulation, plan));
        let lock = (entry.build)(settings, rig.backends(), env.fork("lock"));
        Self { env, rig, lock }
    }

    async fn session(&self, holder: lockproof_model::HolderId) -> AnySession {
        self.lock.open(holder).await.expect("the servers answer")
    }

    fn claim(&self) -> Claim {
        let owner = OwnerValue::from_bits(self.env.random().wide_bits());
        Claim { lock: LockName::new("seat-1"), owner }
    }

    /// Does the fault at a step of the first holder, and heals it after `length`.
    async fn suffer<T: Send>(
        &self,
        fault: &dyn lockproof_faults::Fault,
        length: Duration,
        meanwhile: impl Future<Output = T> + Send,
    ) -> (T, Healed) {
        let here = occurrence(HOLDER, Point::before(Step::Acquire));
        let occasion = Occasion { at: self.env.now(), occurrence: Some(&here), holders: &[] };
        let injection = fault.inject(self.rig.as_ref(), occasion).await.expect("the rig can");
        let heal = async {
            self.env.sleep(length).await;
            injection.heal(self.env.now()).await
        };
        futures_util::future::join(meanwhile, heal).await
    }
}

/// Runs `story` in a world of its own, to its end.
fn simulated<F: Future<Output = ()> + Send + 'static>(lock: &str, story: impl FnOnce(World) -> F) {
    let simulation = Simulation::new(7);
    let world = World::new(&simulation, lock);
    simulation.run(story(world)).expect("it ends");
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn is_granted(answer: &Result<Acquired, LockError>) -> bool {
    matches!(answer, Ok(Acquired::Granted(_)))
}

#[test]
fn a_lost_reply_leaves_a_lock_of_which_its_holder_does_not_know() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let lose = fault("lose-reply", [("links", "redis")]);
        let claim = world.claim();
        let (answer, healed) = world.suffer(&*lose, ms(50), first.acquire(&claim, TTL)).await;
        assert!(!answer.expect_err("no answer arrived").is_definite());
        assert_eq!(healed.observed, "a reply lost, its request carried out");
        assert!(healed.bit);
        let others = world.claim();
        assert!(matches!(second.acquire(&others, TTL).await, Ok(Acquired::Held)));
    });
}

#[test]
fn a_lost_request_was_never_carried_out() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let lose = fault("lose-request", [("links", "redis")]);
        let claim = world.claim();
        let (answer, healed) = world.suffer(&*lose, ms(50), first.acquire(&claim, TTL)).await;
        assert!(!answer.expect_err("no answer arrived").is_definite());
        assert_eq!((healed.bit, healed.observed.as_str()), (true, "a request lost"));
        let others = world.claim();
        assert!(is_granted(&second.acquire(&others, TTL).await));
    });
}

#[test]
fn what_one_holder_loses_at_its_step_another_does_not() {
    simulated("redis-set-nx", |world| async move {
        let mut second = world.session(OTHER).await;
        let lose = fault("lose-reply", [("links", "redis")]);
        let claim = world.claim();
        let (answer, healed) = world.suffer(&*lose, ms(50), second.acquire(&claim, TTL)).await;
        assert!(is_granted(&answer));
        assert_eq!((healed.bit, healed.observed.as_str()), (false, "no message came to be lost"));
    });
}

#[test]
fn a_one_way_partition_lets_requests_through_and_no_answer() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let partition = fault("partition", [("links", "redis"), ("direction", "to-client")]);
        assert_eq!(partition.label(), "partition redis to-client");
        let claim = world.claim();
        let (answer, healed) = world.suffer(&*partition, ms(300), first.acquire(&claim, TTL)).await;
        assert!(answer.is_err());
        assert!(healed.bit && healed.observed.starts_with("held "), "{healed:?}");
        assert!(matches!(second.acquire(&world.claim(), TTL).await, Ok(Acquired::Held)));
    });
}

#[test]
fn a_reset_breaks_what_is_under_way_and_the_next_request_dials_again() {
    simulated("redis-set-nx", |world| async move {
        let mut first = world.session(HOLDER).await;
        let reset = fault("reset-connections", [("links", "redis")]);
        let claim = world.claim();
        let both = async {
            let under_way = first.acquire(&claim, TTL).await;
            (under_way, first.withdraw(&claim).await)
        };
        let (_, healed) = world.suffer(&*reset, ms(0), async {}).await;
        assert_eq!((healed.bit, healed.observed.as_str()), (true, "1 connections reset"));
        let (answer, after) = both.await;
        assert!(answer.is_err() || is_granted(&answer));
        after.expect("it dialled again");
    });
}

#[test]
fn a_server_that_stands_still_answers_late() {
    simulated("redis-set-nx", |world| async move {
        let mut first = world.session(HOLDER).await;
        let pause = fault("pause-server", [("servers", "redis-1")]);
        let claim = world.claim();
        let asked = world.env.now();
        let (answer, healed) = world.suffer(&*pause, ms(80), first.acquire(&claim, TTL)).await;
        assert!(is_granted(&answer), "{answer:?}");
        assert!(world.env.now().saturating_since(asked) >= ms(80));
        assert_eq!((healed.bit, healed.observed.as_str()), (true, "1 requests waited at redis-1"));
        let (_, healed) = world.suffer(&*pause, ms(80), async {}).await;
        assert_eq!((healed.bit, healed.observed.as_str()), (false, "no request came meanwhile"));
    });
}

#[test]
fn a_server_that_died_finds_what_it_had_kept() {
    for (keeps, gone) in [("nothing", true), ("everything", false)] {
        simulated("redis-set-nx", move |world| async move {
            let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
            let crash = fault("crash-server", [("servers", "redis-1"), ("keeps", keeps)]);
            assert_eq!(crash.server_effect().expect("it has one").needs().past(), !gone);
            assert!(is_granted(&first.acquire(&world.claim(), ms(60_000)).await));
            let (_, healed) = world.suffer(&*crash, ms(20), async {}).await;
            assert!(healed.bit && healed.observed.contains("died with 2 connections"));
            assert_eq!(healed.observed.contains("restarted without 1 keys"), gone, "{healed:?}");
            let claim = world.claim();
            let mut answer = second.acquire(&claim, TTL).await;
            if answer.is_err() {
                answer = second.acquire(&claim, TTL).await;
            }
            assert_eq!(is_granted(&answer), gone, "{keeps}: {answer:?}");
        });
    }
}

#[test]
fn a_clock_that_jumps_ends_a_lease_that_its_holder_trusts() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let back = fault("clock-jump", [("servers", "redis"), ("by", "-1h")]);
        let jump = fault("clock-jump", [("servers", "redis"), ("by", "+1h 1s")]);
        assert_eq!(jump.label(), "clock-jump redis +1h 1s");
        assert!(is_granted(&first.acquire(&world.claim(), TTL).await));
        let (_, healed) = world.suffer(&*back, ms(0), async {}).await;
        assert!(healed.bit && healed.observed.contains("redis-1's TIME went from "), "{healed:?}");
        assert!(matches!(second.acquire(&world.claim(), TTL).await, Ok(Acquired::Held)));
        world.suffer(&*jump, ms(0), async {}).await;
        assert!(is_granted(&second.acquire(&world.claim(), TTL).await));
    });
}

#[test]
fn a_clock_that_runs_fast_ends_a_lease_early() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let drift = number("clock-drift", [("servers", "redis-1")], ("rate", 10.0));
        assert_eq!(drift.label(), "clock-drift redis-1 ×10");
        assert!(is_granted(&first.acquire(&world.claim(), TTL).await));
        let (answer, healed) = world
            .suffer(&*drift, ms(100), async {
                world.env.sleep(ms(60)).await;
                second.acquire(&world.claim(), TTL).await
            })
            .await;
        assert!(is_granted(&answer), "{answer:?}");
        assert!(healed.bit, "{healed:?}");
    });
}

#[test]
fn a_replica_that_was_behind_does_not_know_the_last_lock() {
    simulated("redis-set-nx", |world| async move {
        let (mut first, mut second) = (world.session(HOLDER).await, world.session(OTHER).await);
        let failover = fault("failover", [("servers", "redis"), ("lag", "5ms")]);
        assert!(failover.server_effect().expect("it has one").needs().past());
        assert!(is_granted(&first.acquire(&world.claim(), TTL).await));
        let (_, healed) = world.suffer(&*failover, ms(0), async {}).await;
        assert!(healed.bit, "{healed:?}");
        assert!(healed.observed.ends_with("redis-1's replica lacked 1 keys"), "{healed:?}");
        world.env.sleep(ms(10)).await;
        let mut answer = second.acquire(&world.claim(), TTL).await;
        if answer.is_err() {
            answer = second.acquire(&world.claim(), TTL).await;
        }
        assert!(is_granted(&answer), "{answer:?}");
        world.env.sleep(ms(10)).await;
        let (_, healed) = world.suffer(&*failover, ms(0), async {}).await;
        // Its connections ended all the same, which is something to suffer.
        assert!(!healed.observed.contains("lacked"), "{healed:?}");
    });
}

#[test]
fn an_evicted_lock_is_not_its_holders_to_give_back() {
    simulated("redlock", |world| async move {
        let mut first = world.session(HOLDER).await;
        let evict = fault("evict", [("servers", "redis")]);
        let (_, healed) = world.suffer(&*evict, ms(0), async {}).await;
        assert_eq!((healed.bit, healed.observed.as_str()), (false, "there was no key"));
        let Ok(Acquired::Granted(lease)) = first.acquire(&world.claim(), TTL).await else {
            panic!("nobody else has it")
        };
        let (_, healed) = world.suffer(&*evict, ms(0), async {}).await;
        assert!(healed.bit && healed.observed.contains("redis-5 evicted 1 keys"), "{healed:?}");
        assert!(matches!(first.release(lease).await, Ok(Released::Lost)));
    });
}

#[test]
fn a_rule_loses_the_reply_to_the_request_that_it_means_and_no_other() {
    simulated("redis-set-nx", |world| async move {
        let mut first = world.session(HOLDER).await;
        let fields =
            [("links", "redis"), ("command", "set"), ("key", "*{seat-1}"), ("then", "drop-reply")];
        let rule = fault("rule", fields);
        assert_eq!(rule.label(), "rule SET *{seat-1} → drop-reply on redis");
        let claim = world.claim();
        let story = async {
            let lost = first.acquire(&claim, TTL).await;
            (lost, first.withdraw(&claim).await)
        };
        let ((lost, withdrawn), healed) = world.suffer(&*rule, ms(300), story).await;
        assert!(!lost.expect_err("its reply was lost").is_definite());
        withdrawn.expect("a script is no SET");
        let observed = "SET *{seat-1} answered, the reply lost, 1 times";
        assert_eq!((healed.bit, healed.observed.as_str()), (true, observed));
    });
}

#[test]
fn a_rule_that_nothing_is_meant_by_did_not_bite() {
    simulated("redis-set-nx", |world| async move {
        let mut first = world.session(HOLDER).await;
        let fields =
            [("links", "redis"), ("command", "SET"), ("key", "cart:*"), ("then", "drop-request")];
        let rule = fault("rule", fields);
        let claim = world.claim();
        let (answer, healed) = world.suffer(&*rule, ms(50), first.acquire(&claim, TTL)).await;
        assert!(is_granted(&answer) && !healed.bit, "{answer:?} {healed:?}");
    });
}

#[test]
fn a_rule_holds_requests_until_it_is_healed_and_delays_them() {
    for (then, delay) in [("hold", None), ("delay", Some("100ms")), ("delay-reply", Some("100ms"))]
    {
        simulated("redis-set-nx", move |world| async move {
            let mut first = world.session(HOLDER).await;
            let rule = match delay {
                None => fault("rule", [("links", "redis"), ("then", then)]),
                Some(by) => fault("rule", [("links", "redis"), ("then", then), ("delay", by)]),
            };
            let (claim, asked) = (world.claim(), world.env.now());
            let acquire = first.acquire(&claim, TTL * 4);
            let (answer, healed) = world.suffer(&*rule, ms(90), acquire).await;
            assert_eq!(is_granted(&answer), delay.is_none(), "{then}: {answer:?}");
            assert!(world.env.now().saturating_since(asked) >= ms(90), "{then}");
            assert!(healed.bit, "{then}: {healed:?}");
        });
    }
}

#[test]
fn what_only_bytes_can_suffer_is_marked_so() {
    let duplicate = fault("rule", [("links", "redis"), ("then", "duplicate")]);
    assert_eq!(duplicate.needs_live(), Some("that duplicates a request"));
    let parse = [("links", "database"), ("command", "Parse"), ("then", "hold")];
    assert_eq!(fault("rule", parse).needs_live(), Some("about a kind of message"));
    let commit = [("links", "database"), ("command", "commit"), ("then", "hold")];
    assert_eq!(fault("rule", commit).needs_live(), None);
    for entry in lockproof_faults::ENTRIES {
        assert_ne!(entry.worlds, Worlds::SimulatedOnly, "{}: both worlds can", entry.name);
    }
}

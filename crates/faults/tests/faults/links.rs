//! Faults on links: what happens to bytes and requests on their way, with evidence.

use std::time::Duration;

use lockproof_faults::{Fault, Injection, Occasion};
use lockproof_locks::{Acquired, LockSession};
use lockproof_model::{LockName, Point, Step};
use lockproof_rig::LinkUse::{Direct, PerHolder, Shared};
use lockproof_testkit::Bench;

use crate::support::{HOLDER, OTHER, bench, fault, in_time, occasion, occurrence};

const TTL: Duration = Duration::from_secs(60);

async fn round_trip(bench: &Bench, session: &mut lockproof_locks::AnySession) {
    let claim = bench.claim(&LockName::new("seat-1"));
    let answer = in_time(&bench.env, session.acquire(&claim, TTL)).await.expect("it answers");
    assert!(matches!(answer, Acquired::Granted(_)), "{answer:?}");
    in_time(&bench.env, session.withdraw(&claim)).await.expect("it answers");
}

#[tokio::test]
async fn a_partition_holds_bytes_until_it_heals_and_loses_none() {
    let bench = bench("redis-set-nx", Shared).await;
    let mut session = bench.session(1).await;
    round_trip(&bench, &mut session).await;
    let partition = fault("partition", [("links", "redis")]);
    let injection = partition.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap();
    assert!(!injection.holds_step());

    let claim = bench.claim(&LockName::new("seat-1"));
    let acquire = session.acquire(&claim, TTL);
    let early = bench.env.timeout(Duration::from_millis(50), acquire).await;
    assert!(early.is_err(), "answered through a partition: {early:?}");
    assert_eq!(bench.left_over(&claim.lock).await, 0, "the request arrived");

    let healed = injection.heal(bench.env.now()).await;
    assert!(healed.bit, "{healed:?}");
    assert!(healed.observed.starts_with("held ") && healed.observed.ends_with(" on redis-1"));
    // The connection stands, and what was held arrives before what is sent now.
    in_time(&bench.env, session.withdraw(&claim)).await.unwrap();
    assert_eq!(bench.left_over(&claim.lock).await, 0);
    round_trip(&bench, &mut session).await;
}

#[tokio::test]
async fn an_answer_that_a_partition_held_arrives_once_it_heals() {
    let bench = bench("redlock", Shared).await;
    let mut session = bench.session(1).await;
    let partition = fault("partition", [("links", "redis-majority")]);
    let injection = partition.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap();
    let claim = bench.claim(&LockName::new("seat-1"));
    let heal = async {
        bench.env.sleep(Duration::from_millis(30)).await;
        let now = bench.env.now();
        (now, injection.heal(now).await)
    };
    let both = futures_util::future::join(session.acquire(&claim, TTL), heal);
    let (answer, (at, healed)) = in_time(&bench.env, both).await;
    let Ok(Acquired::Granted(lease)) = answer else { panic!("{answer:?}") };
    assert!(lease.granted >= at, "granted through a partition of the majority");
    let links = ["on redis-1", "on redis-2", "on redis-3"];
    assert!(links.iter().all(|link| healed.observed.contains(link)), "{healed:?}");
    assert!(!healed.observed.contains("redis-4"), "{healed:?}");
}

#[tokio::test]
async fn latency_delays_each_way_and_says_so() {
    let bench = bench("redis-set-nx", Shared).await;
    let mut session = bench.session(1).await;
    round_trip(&bench, &mut session).await;
    let latency = fault("latency", [("links", "redis"), ("delay", "20ms")]);
    let injection = latency.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap();
    let asked = bench.env.now();
    round_trip(&bench, &mut session).await;
    let took = bench.env.now().saturating_since(asked);
    assert!(took >= Duration::from_millis(80), "two questions, there and back, in {took:?}");
    let healed = injection.heal(bench.env.now()).await;
    assert!(healed.bit && healed.observed.starts_with("delayed "), "{healed:?}");
    round_trip(&bench, &mut session).await;
}

#[tokio::test]
async fn a_link_that_nobody_used_was_not_disturbed() {
    let bench = bench("redis-set-nx", Shared).await;
    for (name, observed) in [("partition", "held nothing"), ("latency", "delayed nothing")] {
        let fault = match name {
            "latency" => fault(name, [("links", "redis"), ("delay", "1ms")]),
            _ => fault(name, [("links", "redis")]),
        };
        let injection = fault.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap();
        let healed = injection.heal(bench.env.now()).await;
        assert!(!healed.bit);
        assert_eq!(healed.observed, observed);
    }
}

#[tokio::test]
async fn a_dropped_partition_heals_as_well() {
    let bench = bench("redis-set-nx", Shared).await;
    let mut session = bench.session(1).await;
    let partition = fault("partition", [("links", "redis-1")]);
    drop(partition.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap());
    round_trip(&bench, &mut session).await;
}

#[tokio::test]
async fn a_partition_of_one_holder_leaves_the_others_alone() {
    let bench = bench("redis-set-nx", PerHolder).await;
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    round_trip(&bench, &mut second).await;
    let occasion = Occasion { at: bench.env.now(), occurrence: None, holders: &[OTHER] };
    let partition = fault("partition", [("links", "redis")]);
    let injection = partition.inject(&bench.rig, occasion).await.unwrap();
    round_trip(&bench, &mut first).await;
    let claim = bench.claim(&LockName::new("seat-1"));
    let acquire = second.acquire(&claim, TTL);
    let early = bench.env.timeout(Duration::from_millis(50), acquire).await;
    assert!(early.is_err(), "answered through a partition: {early:?}");
    assert!(injection.heal(bench.env.now()).await.bit);
    in_time(&bench.env, second.withdraw(&claim)).await.unwrap();
    round_trip(&bench, &mut second).await;
}

#[tokio::test]
async fn links_without_a_proxy_cannot_be_disturbed() {
    let bench = bench("redis-set-nx", Direct).await;
    let partition = fault("partition", [("links", "redis")]);
    let error = partition.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap_err();
    assert_eq!(error.to_string(), "no link redis-1 can be disturbed");
}

/// A fault at a step of the first holder.
async fn at_step(bench: &Bench, fault: &dyn Fault) -> Box<dyn Injection> {
    let here = occurrence(HOLDER, Point::before(Step::Acquire));
    fault.inject(&bench.rig, occasion(&bench.env, Some(&here))).await.expect("the rig can")
}

#[tokio::test]
async fn a_lost_reply_leaves_a_lock_that_was_taken_and_no_other_holder_loses_anything() {
    let bench = bench("redis-set-nx", PerHolder).await;
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let injection = at_step(&bench, &*fault("lose-reply", [("links", "redis")])).await;
    round_trip(&bench, &mut second).await;
    let claim = bench.claim(&LockName::new("seat-1"));
    let answer = in_time(&bench.env, first.acquire(&claim, TTL)).await;
    assert!(!answer.expect_err("its reply was lost").is_definite());
    assert_eq!(bench.left_over(&claim.lock).await, 1, "it was carried out");
    let healed = injection.heal(bench.env.now()).await;
    let observed = "a reply lost, its request carried out, on redis-1";
    assert_eq!((healed.bit, healed.observed.as_str()), (true, observed));
    in_time(&bench.env, first.withdraw(&claim)).await.expect("it dials again");
    round_trip(&bench, &mut first).await;
}

#[tokio::test]
async fn a_lost_request_was_never_carried_out_and_only_one_is_lost() {
    let bench = bench("redis-set-nx", PerHolder).await;
    let mut first = bench.session(1).await;
    let injection = at_step(&bench, &*fault("lose-request", [("links", "redis")])).await;
    let claim = bench.claim(&LockName::new("seat-1"));
    let answer = in_time(&bench.env, first.acquire(&claim, TTL)).await;
    assert!(!answer.expect_err("it never arrived").is_definite());
    assert_eq!(bench.left_over(&claim.lock).await, 0);
    round_trip(&bench, &mut first).await;
    let healed = injection.heal(bench.env.now()).await;
    assert_eq!((healed.bit, healed.observed.as_str()), (true, "a request lost on redis-1"));
}

#[tokio::test]
async fn a_quorum_loses_one_message_in_all() {
    let bench = bench("redlock", PerHolder).await;
    let mut first = bench.session(1).await;
    let injection = at_step(&bench, &*fault("lose-reply", [("links", "redis")])).await;
    round_trip(&bench, &mut first).await;
    let healed = injection.heal(bench.env.now()).await;
    assert!(healed.bit && healed.observed.matches("lost").count() == 1, "{healed:?}");
}

#[tokio::test]
async fn a_reset_breaks_the_connections_of_the_holder_and_says_how_many() {
    let bench = bench("redlock", PerHolder).await;
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    round_trip(&bench, &mut first).await;
    round_trip(&bench, &mut second).await;
    let links = [("links", "redis-minority")];
    let injection = at_step(&bench, &*fault("reset-connections", links)).await;
    let healed = injection.heal(bench.env.now()).await;
    let observed = "1 connections reset on redis-1, 1 connections reset on redis-2";
    assert_eq!((healed.bit, healed.observed.as_str()), (true, observed));
    round_trip(&bench, &mut second).await;
    let claim = bench.claim(&LockName::new("seat-1"));
    let first_again = in_time(&bench.env, first.acquire(&claim, TTL)).await;
    assert!(
        matches!(first_again, Ok(Acquired::Granted(_))),
        "a majority answered: {first_again:?}"
    );
    in_time(&bench.env, first.withdraw(&claim)).await.expect("it dials again");
}

#[tokio::test]
async fn a_one_way_partition_lets_requests_through_and_holds_their_answers() {
    for (direction, taken) in [("to-client", 1), ("to-server", 0)] {
        let bench = bench("redis-set-nx", PerHolder).await;
        let mut first = bench.session(1).await;
        round_trip(&bench, &mut first).await;
        let partition = fault("partition", [("links", "redis"), ("direction", direction)]);
        let injection = partition.inject(&bench.rig, occasion(&bench.env, None)).await.unwrap();
        let claim = bench.claim(&LockName::new("seat-1"));
        let acquire = async {
            let answer = first.acquire(&claim, TTL).await;
            (answer, bench.env.now())
        };
        let story = async {
            while bench.left_over(&claim.lock).await != taken {
                bench.env.sleep(Duration::from_millis(1)).await;
            }
            bench.env.sleep(Duration::from_millis(20)).await;
            assert_eq!(bench.left_over(&claim.lock).await, taken, "{direction}");
            (injection.heal(bench.env.now()).await, bench.env.now())
        };
        let both = futures_util::future::join(acquire, story);
        let ((answer, answered), (healed, at)) = in_time(&bench.env, both).await;
        assert!(matches!(answer, Ok(Acquired::Granted(_))), "{answer:?}");
        assert!(answered >= at, "answered through a partition {direction}");
        assert!(healed.bit && healed.observed.starts_with("held 1 chunks"), "{healed:?}");
    }
}

#[tokio::test]
async fn a_rule_does_something_to_the_requests_that_it_means_and_to_no_other() {
    let bench = bench("redis-set-nx", PerHolder).await;
    let mut first = bench.session(1).await;
    let fields =
        [("links", "redis"), ("command", "SET"), ("key", "*{seat-1}"), ("then", "drop-reply")];
    let injection = at_step(&bench, &*fault("rule", fields)).await;
    let other = bench.claim(&LockName::new("seat-2"));
    let answer = in_time(&bench.env, first.acquire(&other, TTL)).await;
    assert!(matches!(answer, Ok(Acquired::Granted(_))), "{answer:?}");
    let claim = bench.claim(&LockName::new("seat-1"));
    let answer = in_time(&bench.env, first.acquire(&claim, TTL)).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(bench.left_over(&claim.lock).await, 1);
    let healed = injection.heal(bench.env.now()).await;
    let observed = "SET *{seat-1} answered, the reply lost, 1 times on redis-1";
    assert_eq!((healed.bit, healed.observed.as_str()), (true, observed));
}

#[tokio::test]
async fn a_duplicated_request_is_carried_out_twice_and_answered_once() {
    let bench = bench("redis-set-nx", PerHolder).await;
    let mut first = bench.session(1).await;
    let fields = [("links", "redis"), ("command", "SET"), ("then", "duplicate")];
    let injection = at_step(&bench, &*fault("rule", fields)).await;
    round_trip(&bench, &mut first).await;
    let healed = injection.heal(bench.env.now()).await;
    let observed = "SET sent twice, 1 times on redis-1";
    assert_eq!((healed.bit, healed.observed.as_str()), (true, observed));
}

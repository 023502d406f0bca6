//! Holders that are killed: what they had begun is unknown, and a fresh one goes on in their place.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::{Either, join, select};
use lockproof_bookings::{Constraints, Layout};
use lockproof_env::{Env, Group};
use lockproof_locks::{Drift, LockSettings, Policy, Wait};
use lockproof_model::{
    AttemptResult, BookingTable, Effect, HolderId, Outcome, OwnerValue, Point, Reason, Step,
};
use lockproof_rig::sim::SimRig;
use lockproof_rig::{LinkUse, RigPlan, ServerNeeds, System};
use lockproof_sim::Simulation;
use lockproof_testkit::{Gatekeeper, Passages};
use lockproof_workload::{FlowSettings, Load, Pace, Parties, Record, Stop, run};

use crate::support::{check, load, run_out, stage};

const TTL: Duration = Duration::from_millis(200);
const AN_HOUR: Duration = Duration::from_secs(3600);

/// The keeper's side of a story: sees holders stop, and does what it does to their groups.
struct Keeper {
    env: Env,
    groups: Vec<Group>,
    gate: Gatekeeper,
}

/// Plays `load` in virtual time with bars at `bars`, while `plays` does what it does; gives the record, the table and
/// when it was over.
fn played<F: Future<Output = ()> + Send + 'static>(
    seed: u64,
    load: Load,
    bars: &[(u32, Point)],
    plays: impl FnOnce(Keeper) -> F + Send + 'static,
) -> (Record, BookingTable, Duration) {
    let simulation = Simulation::new(seed);
    let entry = lockproof_locks::find("redis-set-nx").expect("the catalog has it");
    let settings = LockSettings::default();
    let rig = SimRig::new(
        &simulation,
        RigPlan {
            name: "killed".to_owned(),
            holders: load.holders,
            redis_servers: 1,
            links: LinkUse::PerHolder,
            lock: settings.clone(),
            needs: ServerNeeds::default(),
            coordinator: None,
            topology: lockproof_rig::Topology::default(),
            database: lockproof_rig::DatabasePlan::default(),
            layout: Layout { slots: load.slots, capacity: 9, constraints: Constraints::NONE },
            seed,
        },
    );
    let bars = bars.iter().map(|&(holder, point)| (HolderId(holder), point));
    let (passages, gate) = Passages::barred(bars);
    let env = simulation.env();
    let wait = Wait { tries: 50, delay: Duration::from_millis(10), jitter: Duration::ZERO };
    let parties = Parties {
        env: env.clone(),
        lock: (entry.build)(settings, rig.backends(), env.fork("lock")),
        keep: None,
        policy: Policy { ttl: TTL, wait, drift: Drift::default() },
        salt: 1,
        store: rig.store(),
        guard: lockproof_bookings::catalog::find("none").expect("the catalog has it").guard,
        gate: Arc::new(passages),
        groups: rig.groups(),
        halt: Arc::new(AtomicBool::new(false)),
    };
    let keeper = Keeper { env: env.clone(), groups: rig.groups(), gate };
    let story = async move {
        let plays = Box::pin(plays(keeper));
        let late = Box::pin(env.sleep(AN_HOUR));
        let ended = {
            let run = Box::pin(run(&parties, &load, late, |_, _| {}));
            // The keeper may have nothing to do any more long before the load is over, or wait for ever.
            match select(run, plays).await {
                Either::Left((ended, _)) => ended,
                Either::Right(((), run)) => run.await,
            }
        };
        let (record, late) = ended.expect("the holders connect");
        assert!(late.is_none(), "the load hangs");
        let table = rig.store().table().await.expect("it answers");
        (record, table, env.now().since_start())
    };
    let (record, table, over) = simulation.run(story).expect("it ends");
    check(&record);
    (record, table, over)
}

fn attempts(holders: u32, attempts: u32) -> Load {
    let settings = FlowSettings { work: Duration::from_millis(5), ..FlowSettings::default() };
    Load { settings, ..load(holders, attempts) }
}

fn owners(record: &Record) -> Vec<OwnerValue> {
    let owner = |operation: &lockproof_model::Operation| match operation.outcome.effect() {
        Some(Effect::Granted { owner, .. }) => Some(owner.clone()),
        _ => None,
    };
    record.history.operations.iter().filter_map(owner).collect()
}

#[test]
fn a_killed_holder_leaves_what_it_had_begun_unknown_and_a_fresh_one_goes_on() {
    let bars = [(1, Point::answer(Step::Insert))];
    let (record, table, _) = played(3, attempts(1, 3), &bars, |mut keeper| async move {
        let stopped = keeper.gate.next().await;
        keeper.groups[0].kill();
        drop(stopped);
        keeper.env.sleep(Duration::from_millis(50)).await;
        keeper.groups[0].restart();
        // Its next lives are barred as well, and go on.
        loop {
            drop(keeper.gate.next().await);
        }
    });
    let results: Vec<_> = record.history.attempts.iter().map(|attempt| &attempt.result).collect();
    assert!(results[0].is_death(), "{results:?}");
    assert!(results[1..].iter().all(|result| matches!(result, AttemptResult::Booked { .. })));
    let mut first = record.history.operations.iter().filter(|op| op.attempt.0 == 1);
    let last = first.next_back().expect("it began");
    assert_eq!((last.step, last.completed), (Step::Insert, None));
    assert_eq!(last.outcome, Outcome::Info(Reason::Unanswered));
    // Its transaction ended with its connection.
    assert_eq!(table.bookings.len(), 2);
    assert!(table.bookings.iter().all(|row| row.attempt.0 > 1));
}

#[test]
fn the_lock_of_a_dead_holder_stands_until_its_ttl_ends() {
    let bars = [(1, Point::after(Step::Acquire))];
    let (record, _, _) = played(4, attempts(1, 2), &bars, |mut keeper| async move {
        let stopped = keeper.gate.next().await;
        keeper.groups[0].kill();
        keeper.groups[0].restart();
        drop(stopped);
        loop {
            drop(keeper.gate.next().await);
        }
    });
    let grants: Vec<_> = record
        .history
        .operations
        .iter()
        .filter(|operation| operation.step == Step::Acquire)
        .map(|operation| operation.completed.expect("it was granted"))
        .collect();
    // The allowance for the network: the TTL counts from the request's arrival.
    assert!(grants[1].saturating_since(grants[0]) >= TTL - Duration::from_millis(10), "{grants:?}");
    let owners = owners(&record);
    assert_ne!(owners[0], owners[1], "the second life draws what the first drew");
}

#[test]
fn a_commit_that_its_holder_did_not_live_to_see_stands() {
    let bars = [(1, Point::answer(Step::Commit))];
    let (record, table, _) = played(5, attempts(1, 1), &bars, |mut keeper| async move {
        let stopped = keeper.gate.next().await;
        keeper.groups[0].kill();
        drop(stopped);
        pending::<()>().await;
    });
    assert!(record.history.attempts[0].result.is_death());
    assert_eq!(table.bookings.len(), 1);
}

#[test]
fn a_holder_that_is_never_restarted_does_not_keep_the_load_from_ending() {
    let bars = [(1, Point::after(Step::Check))];
    let (record, table, over) = played(6, attempts(2, 6), &bars, |mut keeper| async move {
        let stopped = keeper.gate.next().await;
        keeper.groups[0].kill();
        drop(stopped);
        pending::<()>().await;
    });
    assert_eq!(record.history.attempts.len(), 6);
    let mut of_first =
        record.history.attempts.iter().filter(|attempt| attempt.holder == HolderId(1));
    assert!(of_first.next_back().expect("it began").result.is_death());
    assert_eq!(table.bookings.len(), 5);
    assert!(over < Duration::from_secs(5), "{over:?}");
}

#[test]
fn the_last_attempt_may_die_with_its_holder_and_nobody_asks_for_another() {
    let bars = [(1, Point::before(Step::Insert))];
    let (record, table, over) = played(7, attempts(1, 1), &bars, |mut keeper| async move {
        let stopped = keeper.gate.next().await;
        keeper.groups[0].kill();
        drop(stopped);
        pending::<()>().await;
    });
    assert!(record.history.attempts[0].result.is_death());
    assert_eq!(table.bookings, []);
    assert!(over < Duration::from_secs(1), "{over:?}");
}

#[test]
fn a_load_by_time_ends_though_everybody_is_dead() {
    let stop = Stop::AtTime(Duration::from_secs(2));
    let timed = Load { stop, ..attempts(2, 1) };
    let (record, _, over) = played(8, timed, &[], |keeper| async move {
        keeper.env.sleep(Duration::from_millis(500)).await;
        keeper.groups.iter().for_each(Group::kill);
        pending::<()>().await;
    });
    assert!(!record.history.attempts.is_empty());
    assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&over), "{over:?}");
}

#[test]
fn a_holder_may_die_again_and_again_also_before_it_is_connected() {
    let (record, _, _) = played(9, attempts(2, 30), &[], |keeper| async move {
        for round in 1..60 {
            // Some of these come within the time that a connection takes.
            let group = &keeper.groups[round % 2];
            keeper.env.sleep(Duration::from_micros(700 * u64::try_from(round).unwrap_or(1))).await;
            group.kill();
            keeper.env.sleep(Duration::from_micros(100)).await;
            group.restart();
        }
        pending::<()>().await;
    });
    assert_eq!(record.history.attempts.len(), 30, "each attempt is there, dead or not");
    assert!(record.history.attempts.iter().any(|attempt| attempt.result.is_death()));
    assert!(
        record
            .history
            .attempts
            .iter()
            .any(|attempt| matches!(attempt.result, AttemptResult::Booked { .. }))
    );
    let mut owners = owners(&record);
    let drawn = owners.len();
    owners.sort();
    owners.dedup();
    assert_eq!(owners.len(), drawn, "no life draws another's owner values");
}

#[test]
fn an_open_loop_goes_on_without_the_dead() {
    let spacing = lockproof_workload::Spacing::Constant;
    let rate = lockproof_workload::Rate { per_s: 20.0, length: Duration::ZERO };
    let open = Load { pace: Pace::Open { spacing, ramp: vec![rate] }, ..attempts(2, 10) };
    let (record, _, over) = played(10, open, &[], |keeper| async move {
        keeper.env.sleep(Duration::from_millis(120)).await;
        keeper.groups[0].kill();
        pending::<()>().await;
    });
    assert!(record.history.attempts.len() >= 9);
    assert!(over < Duration::from_secs(5), "{over:?}");
}

#[test]
fn two_runs_of_a_seed_kill_alike() {
    let once = || {
        let bars = [(2, Point::after(Step::Check))];
        let (record, table, over) = played(11, attempts(3, 12), &bars, |mut keeper| async move {
            let stopped = keeper.gate.next().await;
            keeper.groups[1].kill();
            drop(stopped);
            keeper.env.sleep(Duration::from_millis(300)).await;
            keeper.groups[1].restart();
            loop {
                drop(keeper.gate.next().await);
            }
        });
        (record.history, table, over)
    };
    assert_eq!(once(), once());
}

#[tokio::test]
async fn a_holder_is_killed_and_started_again_live_as_well() {
    let mut stage = stage(&[(1, Point::before(Step::Commit))]).await;
    let group = stage.parties.groups[0].clone();
    // The lock of the dead has a TTL of a minute here, so somebody has to give it back.
    let servers = stage.bench.servers();
    let plays = async {
        let stopped = stage.keeper.next().await;
        group.kill();
        let lock = stopped.occurrence.lock.clone();
        drop(stopped);
        for server in 0..servers {
            stage.bench.forget(server, &lock).await;
        }
        group.restart();
        drop(stage.keeper.next().await);
    };
    let (record, ()) = join(run_out(&stage.parties, &load(1, 2)), plays).await;
    let results: Vec<_> = record.history.attempts.iter().map(|attempt| &attempt.result).collect();
    assert!(results[0].is_death(), "{results:?}");
    assert!(matches!(results[1], AttemptResult::Booked { .. }), "{results:?}");
}

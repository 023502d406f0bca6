//! Holders at the other end of a line: the same history as tasks leave, whatever becomes of the other end.
//!
//! The ends are joined in this process and in virtual time, so that a process dies when the test says so.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use lockproof_bookings::{Constraints, Layout};
use lockproof_env::{Env, Group};
use lockproof_locks::{Drift, LockSettings, Policy, Wait};
use lockproof_model::{AttemptResult, BookingTable, HolderId, Outcome, Point, Reason, Step};
use lockproof_rig::sim::SimRig;
use lockproof_rig::{LinkUse, RigPlan, ServerNeeds, System};
use lockproof_sim::Simulation;
use lockproof_testkit::{Gatekeeper, Passages};
use lockproof_workload::{
    Apart, Broken, FlowSettings, Launcher, Load, Occurrence, OpenGate, Parties, Record, SeatEnd,
    SetUpError, StepGate, Word, run, run_apart,
};
use tokio::sync::mpsc;

use crate::doubles::{DoubleSeat, Doubles};
use crate::support::{check, load};

const TTL: Duration = Duration::from_millis(200);

/// The keeper's side of a story.
struct Keeper {
    env: Env,
    groups: Vec<Group>,
    bodies: Arc<Mutex<Vec<Group>>>,
    gate: Gatekeeper,
}

impl Keeper {
    /// What SIGKILL does to the process that was started so-and-so-manieth.
    fn kill_process(&self, number: usize) {
        let body = self.bodies.lock().unwrap_or_else(PoisonError::into_inner)[number].clone();
        body.kill();
    }

    /// The same by a fault, which says so.
    fn kill(&self, holder: usize, process: usize) {
        self.groups[holder].kill();
        self.kill_process(process);
    }
}

/// Concerned where it has bars.
#[derive(Debug)]
struct Bars {
    points: Vec<Point>,
    passages: Passages,
}

impl StepGate for Bars {
    fn concerns(&self, point: Point) -> bool {
        self.points.contains(&point)
    }

    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        self.passages.pass(occurrence)
    }
}

struct Played {
    record: Record,
    table: BookingTable,
    cut: bool,
    asked_at: Vec<Point>,
    started: usize,
}

/// Plays `load` with holders at the other end of lines, with bars at `bars` and nowhere else; the load is cut short when
/// `plays` says so.
fn played<F: Future<Output = ()> + Send + 'static>(
    load: Load,
    bars: &[(u32, Point)],
    plays: impl FnOnce(Keeper) -> F + Send + 'static,
) -> Played {
    let simulation = Simulation::new(7);
    let rig = rig(&simulation, &load);
    let points = bars.iter().map(|&(_, point)| point).collect();
    let bars = bars.iter().map(|&(holder, point)| (HolderId(holder), point));
    let (passages, gate) = Passages::barred(bars);
    let parties = parties(&simulation, &rig);
    let env = simulation.env();
    let (bodies, asked_at) =
        (Arc::<Mutex<Vec<Group>>>::default(), Arc::<Mutex<Vec<Point>>>::default());
    let (started, asked) = (Arc::clone(&bodies), Arc::clone(&asked_at));
    let groups = rig.groups();
    let doubles = Doubles {
        parties: parties.clone(),
        load: load.clone(),
        groups: groups.clone(),
        bodies: Arc::clone(&bodies),
        asked_at,
    };
    let keeper = Keeper { env: env.clone(), groups: groups.clone(), bodies, gate };
    let apart = Apart {
        env,
        launcher: Arc::new(doubles),
        gate: Arc::new(Bars { points, passages }),
        groups,
        halt: Arc::default(),
    };
    let story = async move {
        let ran = run_apart(&apart, &load, Box::pin(plays(keeper)), |_, _| {}).await;
        let (record, cut) = ran.expect("the holders connect");
        (record, rig.store().table().await.expect("it answers"), cut.is_some())
    };
    let (record, table, cut) = simulation.run(story).expect("it ends");
    check(&record);
    let asked_at = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
    let started = started.lock().unwrap_or_else(PoisonError::into_inner).len();
    Played { record, table, cut, asked_at, started }
}

fn rig(simulation: &Simulation, load: &Load) -> Arc<SimRig> {
    let plan = RigPlan {
        name: "remote".to_owned(),
        holders: load.holders,
        redis_servers: 1,
        links: LinkUse::PerHolder,
        lock: LockSettings::default(),
        needs: ServerNeeds::default(),
        coordinator: None,
        topology: lockproof_rig::Topology::default(),
        database: lockproof_rig::DatabasePlan::default(),
        layout: Layout { slots: load.slots, capacity: 9, constraints: Constraints::NONE },
        seed: 7,
    };
    Arc::new(SimRig::new(simulation, plan))
}

fn parties(simulation: &Simulation, rig: &SimRig) -> Parties {
    let env = simulation.env();
    let entry = lockproof_locks::find("redis-set-nx").expect("the catalog has it");
    let wait = Wait { tries: 50, delay: Duration::from_millis(10), jitter: Duration::ZERO };
    Parties {
        lock: (entry.build)(LockSettings::default(), rig.backends(), env.fork("lock")),
        keep: None,
        policy: Policy { ttl: TTL, wait, drift: Drift::default() },
        salt: 1,
        store: rig.store(),
        guard: lockproof_bookings::catalog::find("none").expect("the catalog has it").guard,
        gate: Arc::new(OpenGate),
        groups: rig.groups(),
        halt: Arc::default(),
        env,
    }
}

fn attempts(holders: u32, attempts: u32) -> Load {
    let settings = FlowSettings { work: Duration::from_millis(5), ..FlowSettings::default() };
    Load { settings, ..load(holders, attempts) }
}

#[test]
fn a_holder_at_the_other_end_of_a_line_leaves_the_history_that_a_task_leaves() {
    let load = attempts(1, 6);
    let apart = played(load.clone(), &[], |_| pending());
    let simulation = Simulation::new(7);
    let rig = rig(&simulation, &load);
    let parties = parties(&simulation, &rig);
    let tasks = async move { run(&parties, &load, pending::<()>(), |_, _| {}).await };
    let (tasks, _) = simulation.run(tasks).expect("it ends").expect("it connects");
    assert_eq!(apart.record.history, tasks.history);
    assert_eq!(apart.record.lost, tasks.lost);
}

#[test]
fn several_holders_share_the_attempts_and_each_does_one_thing_at_a_time() {
    let Played { record, table, started, .. } = played(attempts(4, 12), &[], |_| pending());
    assert_eq!((record.history.attempts.len(), started), (12, 4));
    assert_eq!(table.bookings.len(), 9, "as many as there is room for");
    let mut holders: Vec<_> = record.history.attempts.iter().map(|each| each.holder).collect();
    holders.sort();
    holders.dedup();
    assert_eq!(holders.len(), 4, "everybody had some");
}

#[test]
fn leave_is_asked_where_a_fault_is_concerned_and_nowhere_else() {
    let point = Point::after(Step::Check);
    let Played { asked_at, .. } = played(attempts(1, 2), &[(1, point)], |mut keeper| async move {
        loop {
            drop(keeper.gate.next().await);
        }
    });
    assert_eq!(asked_at, [point; 2]);
}

#[test]
fn a_killed_process_leaves_what_it_had_begun_unknown_and_a_fresh_one_takes_its_seat() {
    let bars = [(1, Point::answer(Step::Insert))];
    let Played { record, table, started, .. } =
        played(attempts(1, 3), &bars, |mut keeper| async move {
            let stopped = keeper.gate.next().await;
            keeper.kill(0, 0);
            drop(stopped);
            keeper.env.sleep(Duration::from_millis(50)).await;
            keeper.groups[0].restart();
            loop {
                drop(keeper.gate.next().await);
            }
        });
    let results: Vec<_> = record.history.attempts.iter().map(|attempt| &attempt.result).collect();
    assert!(results[0].is_death(), "{results:?}");
    assert!(results[1..].iter().all(|result| matches!(result, AttemptResult::Booked { .. })));
    let last = record.history.operations.iter().rfind(|op| op.attempt.0 == 1).expect("it began");
    assert_eq!((last.step, last.completed), (Step::Insert, None));
    assert_eq!(last.outcome, Outcome::Info(Reason::Unanswered));
    assert_eq!((table.bookings.len(), started), (2, 2));
    assert!(record.lost.is_empty(), "a fault did it: {:?}", record.lost);
}

#[test]
fn a_process_may_be_killed_again_and_again_also_before_it_is_connected() {
    let Played { record, started, .. } = played(attempts(2, 30), &[], |keeper| async move {
        for round in 1..60_u64 {
            let holder = usize::from(round % 2 == 0);
            keeper.env.sleep(Duration::from_micros(700 * round)).await;
            keeper.groups[holder].kill();
            // Whoever sits anywhere: the seats do not tell which is whose, and the dead die no more.
            let all = keeper.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone();
            all.iter().skip(holder).step_by(2).for_each(Group::kill);
            keeper.env.sleep(Duration::from_micros(100)).await;
            keeper.groups[holder].restart();
        }
        pending::<()>().await;
    });
    assert_eq!(record.history.attempts.len(), 30, "each attempt is there, dead or not");
    assert!(record.history.attempts.iter().any(|attempt| attempt.result.is_death()));
    assert!(started > 10, "{started}");
}

#[test]
fn a_process_that_dies_by_itself_is_told_of_and_the_others_go_on() {
    let bars = [(1, Point::before(Step::Commit))];
    let Played { record, table, started, .. } =
        played(attempts(2, 6), &bars, |mut keeper| async move {
            let stopped = keeper.gate.next().await;
            keeper.kill_process(0);
            drop(stopped);
            pending::<()>().await;
        });
    assert_eq!(record.lost, ["the process of holder 1 died by itself"]);
    assert_eq!((record.history.attempts.len(), started), (6, 2), "nobody takes its seat");
    let died = record.history.attempts.iter().filter(|attempt| attempt.result.is_death());
    assert_eq!((died.count(), table.bookings.len()), (1, 5));
}

#[test]
fn a_load_that_is_cut_short_hears_what_was_said_and_leaves_the_rest_unknown() {
    let bars = [(1, Point::answer(Step::Commit))];
    let Played { record, table, cut, .. } =
        played(attempts(1, 2), &bars, |mut keeper| async move {
            // Kept, so that the bar stays closed until the process is dead.
            let stopped = keeper.gate.next().await;
            keeper.env.sleep(Duration::from_millis(1)).await;
            std::mem::forget(stopped);
        });
    assert!(cut);
    let open = record.history.operations.last().expect("it began");
    assert_eq!((open.step, &open.outcome), (Step::Commit, &Outcome::Info(Reason::Unanswered)));
    let attempt = &record.history.attempts[0];
    assert!(matches!(attempt.result, AttemptResult::Unknown { .. }) && !attempt.result.is_death());
    assert_eq!(table.bookings.len(), 1, "it was committed all the same");
    assert!(record.lost.is_empty(), "{:?}", record.lost);
}

#[test]
fn a_holder_that_cannot_connect_says_why() {
    let simulation = Simulation::new(7);
    let load = attempts(1, 1);
    let rig = rig(&simulation, &load);
    let parties = parties(&simulation, &rig);
    // A lock on a server that is not there.
    let entry = lockproof_locks::find("redlock").expect("the catalog has it");
    let lock = (entry.build)(LockSettings::default(), Arc::new(Nowhere), simulation.env());
    let doubles = Doubles {
        parties: Parties { lock, ..parties },
        load: load.clone(),
        groups: rig.groups(),
        bodies: Arc::default(),
        asked_at: Arc::default(),
    };
    let (env, groups) = (simulation.env(), rig.groups());
    let apart = Apart {
        env,
        launcher: Arc::new(doubles),
        gate: Arc::new(OpenGate),
        groups,
        halt: Arc::default(),
    };
    let story = async move { run_apart(&apart, &load, pending::<()>(), |_, _| {}).await.map(drop) };
    let error = simulation.run(story).expect("it ends").expect_err("there is no server");
    assert!(matches!(error, SetUpError::Told(_)), "{error:?}");
    assert!(error.to_string().contains("holder 1 could not reach the lock's backend"), "{error}");
}

#[derive(Debug)]
struct Nowhere;

impl lockproof_locks::Backends for Nowhere {
    fn redis_servers(&self) -> usize {
        1
    }

    fn redis(
        &self,
        _server: usize,
        _holder: HolderId,
    ) -> BoxFuture<'_, lockproof_locks::Result<lockproof_locks::RedisConnection>> {
        std::future::ready(Err(lockproof_locks::LockError::definite("nobody is there"))).boxed()
    }
}

/// Says something that it was not asked.
#[derive(Debug)]
struct Babbler;

impl Launcher for Babbler {
    fn launch<'a>(
        &'a self,
        _holder: HolderId,
        _life: u32,
        _concerns: &'a [Point],
    ) -> BoxFuture<'a, Result<Box<dyn SeatEnd>, Broken>> {
        let (says, heard) = mpsc::unbounded_channel();
        for word in [Word::Ready, Word::Next, Word::Ready] {
            says.send(word).expect("somebody hears");
        }
        let answers = mpsc::unbounded_channel().0;
        let end: Box<dyn SeatEnd> = Box::new(DoubleSeat { heard, answers, body: Group::new() });
        std::future::ready(Ok(end)).boxed()
    }
}

#[test]
fn a_process_that_speaks_out_of_turn_is_told_of() {
    let simulation = Simulation::new(7);
    let env = simulation.env();
    let apart = Apart {
        env: env.clone(),
        launcher: Arc::new(Babbler),
        gate: Arc::new(OpenGate),
        groups: vec![Group::new()],
        halt: Arc::default(),
    };
    let story = async move {
        let load = attempts(1, 1);
        let ran = Box::pin(run_apart(&apart, &load, pending::<()>(), |_, _| {}));
        match select(ran, Box::pin(env.sleep(Duration::from_secs(60)))).await {
            Either::Left((ran, _)) => ran.expect("it was ready").0,
            Either::Right(_) => panic!("it hangs"),
        }
    };
    let record = simulation.run(story).expect("it ends");
    assert_eq!(record.lost.len(), 1, "{:?}", record.lost);
    assert!(record.lost[0].contains("it said Ready out of turn"), "{:?}", record.lost);
}

//! The unmodified client library between locks and simulated servers: the same verdicts, and the same twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lockproof_checkers::{Checker, kinds};
use lockproof_model::{CellReport, Layer, Verdict};
use lockproof_rig::sim::RedisDriver;
use lockproof_runner::{
    Buggify, CellPlan, CellSettings, Finished, Matrix, Observer, Search, cells_of, digest,
    explore_cell, replay_simulated, scheduled, simulate,
};
use lockproof_scenario::{Scenario, files_under, load, parse, resolved};

/// Schedules of each cell.
const SEEDS: u64 = 20;

/// All that can run in the simulated world.
fn shipped() -> Vec<Arc<Scenario>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let paths = files_under(&folder).expect("the folder can be read");
    let scenarios = paths.iter().map(|path| load(path).unwrap_or_else(|why| panic!("{why}")));
    let scenarios = scenarios.filter(|scenario| scenario.needs_live().is_none());
    scenarios.map(Arc::new).collect()
}

fn checkers() -> Vec<&'static dyn Checker> {
    lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect()
}

fn search(buggify: Buggify, jobs: usize) -> Search {
    Search {
        schedules: SEEDS,
        time: None,
        jobs,
        buggify,
        layers: vec![Layer::Effect],
        kinds: Vec::new(),
        besides: Vec::new(),
        checkers: checkers(),
        halt: Arc::default(),
        slice: None,
        chronicle: None,
    }
}

fn over_the_wire(plans: Vec<CellPlan>) -> Vec<CellPlan> {
    plans.into_iter().map(|plan| plan.driven_by(RedisDriver::Library)).collect()
}

/// The worst that each checker says of a cell's schedules.
///
/// But for a lock that stands because its release was still on its way when everybody stopped: that is a straggler's
/// luck, in one schedule of twenty with either driver, and not a matter of which.
fn verdicts(plan: &CellPlan) -> BTreeMap<String, Verdict> {
    let search = search(Buggify::Off, 1);
    let mut worst = BTreeMap::new();
    for number in 0..SEEDS {
        let schedule = simulate(&scheduled(plan, &search, number)).expect("the holders connect");
        assert_eq!(schedule.cut_short, None, "schedule {number} of {}", plan.scenario.name);
        for finding in schedule.judge(&search.checkers) {
            let is_luck = !finding.anomalies.is_empty()
                && finding.anomalies.iter().all(|anomaly| anomaly.kind == kinds::RELEASE_UNDONE);
            let verdict = if is_luck { Verdict::Valid } else { finding.verdict };
            let known = worst.entry(finding.checker).or_insert(Verdict::Valid);
            *known = (*known).max(verdict);
        }
    }
    worst
}

fn compare(scenario: &str) {
    let known: Vec<_> = shipped().into_iter().filter(|known| known.name == scenario).collect();
    assert_eq!(known.len(), 1, "{scenario} is shipped");
    for plan in cells_of(&known, 1) {
        let strategy = plan.cell.strategy;
        let without = verdicts(&plan);
        assert_eq!(verdicts(&plan.driven_by(RedisDriver::Library)), without, "{strategy}");
    }
}

/// A test for each scenario, since some take a while.
macro_rules! compared {
    ($($name:ident: $scenario:literal,)*) => {
        mod the_library_makes_no_difference_to_the_verdicts_of {
            $(#[test]
            fn $name() {
                super::compare($scenario);
            })*
        }

        const COMPARED: &[&str] = &[$($scenario,)*];
    };
}

compared! {
    advisory_behind_a_pooler: "advisory-behind-a-pooler",
    advisory_keys_collide: "advisory-keys-collide",
    advisory_session_ended: "advisory-session-ended",
    advisory_session_shared: "advisory-session-shared",
    answers_after_the_lease: "answers-after-the-lease",
    backend_killed: "backend-killed",
    caller_without_a_key: "caller-without-a-key",
    check_to_book_gap: "check-to-book-gap",
    client_clocks: "client-clocks",
    clock_jump: "clock-jump",
    clock_runs_fast: "clock-runs-fast",
    clock_set_back: "clock-set-back",
    commit_acknowledgement_lost: "commit-acknowledgement-lost",
    commit_retried: "commit-retried",
    compared_then_deleted: "compared-then-deleted",
    contention: "contention",
    database_crashes: "database-crashes",
    database_stalls: "database-stalls",
    eviction: "eviction",
    expiry_mid_transaction: "expiry-mid-transaction",
    expiry_never_sent: "expiry-never-sent",
    failed_quorum_left_behind: "failed-quorum-left-behind",
    failover_with_wait: "failover-with-wait",
    grant_never_heard_of: "grant-never-heard-of",
    guards_alone: "guards-alone",
    half_open_client: "half-open-client",
    holder_paused_past_ttl: "holder-paused-past-ttl",
    idle_in_transaction: "idle-in-transaction",
    late_renewal_by_set: "late-renewal-by-set",
    lease_kept_alive: "lease-kept-alive",
    lock_lost: "lock-lost",
    lock_timeout: "lock-timeout",
    lost_signal_heeded: "lost-signal-heeded",
    majority_loses_a_member: "majority-loses-a-member",
    naive_release: "naive-release",
    no_lock_control: "no-lock-control",
    open_loop_stall: "open-loop-stall",
    overlapping_hours: "overlapping-hours",
    owners_alike: "owners-alike",
    part_of_a_stay_stays_locked: "part-of-a-stay-stays-locked",
    process_killed: "process-killed",
    process_paused_past_ttl: "process-paused-past-ttl",
    redis_failover: "redis-failover",
    redis_latency: "redis-latency",
    redlock_majority_heals: "redlock-majority-heals",
    redlock_majority_partitioned: "redlock-majority-partitioned",
    redlock_minority_partitioned: "redlock-minority-partitioned",
    redlock_renewal_misses_quorum: "redlock-renewal-misses-quorum",
    redlock_restarts_empty: "redlock-restarts-empty",
    redlock_restarts_with_aof: "redlock-restarts-with-aof",
    release_lost: "release-lost",
    released_before_commit: "released-before-commit",
    renewal_not_heeded: "renewal-not-heeded",
    renewal_stops_the_work: "renewal-stops-the-work",
    reply_lost: "reply-lost",
    reserved_while_talking: "reserved-while-talking",
    room_inventory: "room-inventory",
    room_nights: "room-nights",
    room_nights_past_ttl: "room-nights-past-ttl",
    segments_in_any_order: "segments-in-any-order",
    segments_in_order: "segments-in-order",
    server_without_a_time_limit: "server-without-a-time-limit",
    slow_commit_past_ttl: "slow-commit-past-ttl",
    split_votes: "split-votes",
    split_votes_with_jitter: "split-votes-with-jitter",
    stale_write: "stale-write",
    timestamp_stolen: "timestamp-stolen",
    told_before_written: "told-before-written",
    told_by_the_outbox: "told-by-the-outbox",
    ttl_cut_to_seconds: "ttl-cut-to-seconds",
    verify_then_insert: "verify-then-insert",
    wait_for_every_replica: "wait-for-every-replica",
    wait_for_the_wrong_replica: "wait-for-the-wrong-replica",
    watchdog_paused: "watchdog-paused",
    zombie_renewal: "zombie-renewal",
}

#[test]
fn every_shipped_scenario_is_compared() {
    let shipped: BTreeSet<_> = shipped().iter().map(|scenario| scenario.name.clone()).collect();
    let compared: BTreeSet<_> = COMPARED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(shipped, compared);
}

/// The history of each cell, as bytes.
struct Histories(BTreeMap<usize, Vec<u8>>);

impl Observer for Histories {
    fn begun(&mut self, _plan: &CellPlan) {}

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        let artifacts = finished.artifacts.expect("a schedule leaves them");
        let bytes = serde_json::to_vec(&(artifacts.history, artifacts.table));
        self.0.insert(plan.index, bytes.expect("plain data has a JSON form"));
        finished.report
    }
}

#[test]
fn a_seed_gives_the_same_histories_with_the_library_however_many_cells_run_at_one_time() {
    let histories = |jobs| {
        let plans = over_the_wire(cells_of(&shipped(), 5));
        let limit = Duration::from_secs(60);
        let settings = CellSettings {
            provider: None,
            checkers: checkers(),
            limit,
            halt: Arc::default(),
            holders: None,
        };
        let mut histories = Histories(BTreeMap::new());
        Matrix { plans, settings, jobs }.run(&mut histories);
        histories.0
    };
    let one = histories(1);
    assert!(one.len() >= 50);
    assert!(histories(1) == one, "the same seed twice");
    assert!(histories(3) == one, "three at one time");
}

const FAULTY: &str = r#"schema_version = 1
strategies = ["redlock", "redis-set-nx+fencing", "redis-set-nx"]

[workload]
holders = 4
slots = 3
bookings = 24
work = "4ms"

[lock]
ttl = "40ms"
wait = { tries = 10, delay = "5ms", jitter = "2ms" }
"#;

fn faulty() -> Vec<CellPlan> {
    let scenario = parse(Path::new("faulty.toml"), FAULTY).expect("it is fine");
    over_the_wire(cells_of(&[Arc::new(scenario)], 3))
}

#[test]
fn a_seed_gives_the_same_history_twice_with_the_library_whatever_goes_wrong_in_it() {
    let search = search(Buggify::WithinBounds, 1);
    for plan in faulty() {
        for number in 0..100 {
            let plan = scheduled(&plan, &search, number);
            let once = || simulate(&plan).map(|schedule| digest(&schedule));
            assert_eq!(once(), once(), "{} of {}", plan.seed, plan.cell.strategy);
        }
    }
}

#[test]
fn a_search_with_the_library_finds_the_same_with_any_number_of_threads_and_keeps_how() {
    let mut found = 0;
    for plan in faulty() {
        let explored = |jobs| {
            let search = Search { schedules: 400, ..search(Buggify::WithinBounds, jobs) };
            let finished = explore_cell(&plan, &search, || Duration::ZERO, &|_| {});
            finished.report.exploration.expect("it is a search")
        };
        let one = explored(1);
        assert_eq!(format!("{:?}", explored(3)), format!("{one:?}"), "{}", plan.cell.strategy);
        let Some(violation) = one.violation else { continue };
        found += 1;
        assert!(violation.replay.contains("wire = true\n"), "{}", violation.replay);
        let kept = parse(Path::new("kept.toml"), &violation.replay).expect("it can be read");
        assert_eq!(resolved(&kept), violation.replay);
        let driver = kept.replay.as_ref().expect("it is a replay").driver;
        let replay = |driver| {
            let (cell, scenario) = (kept.cells[0], Arc::new(kept.clone()));
            let plan = CellPlan { index: 0, cell, seed: 0, scenario, driver };
            replay_simulated(&plan, &search(Buggify::Off, 1)).expect("it begins").1
        };
        assert!(replay(driver), "{}", violation.replay);
        assert!(!replay(RedisDriver::StandIn), "{}", violation.replay);
    }
    assert!(found > 0, "a lock without a guard is broken by random faults");
}

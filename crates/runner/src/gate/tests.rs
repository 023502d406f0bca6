//! On reports that nobody ran.

use std::time::Duration;

use lockproof_model::{
    Anomaly, Expectation, Exploration, History, PercentilesUs, Size, SlotId, Violation, World,
};

use super::*;

fn cell(strategy: &str) -> CellReport {
    let text = format!(
        "schema_version = 1\nname = \"s\"\nstrategies = [\"{strategy}\"]\n[workload]\nholders = 2\nslots = 1\nbookings = 2\n"
    );
    let scenario = lockproof_scenario::parse(std::path::Path::new("s.toml"), &text).unwrap();
    let plan = crate::cells_of(&[std::sync::Arc::new(scenario)], 1).remove(0);
    let blank = crate::cell::blank(&plan);
    CellReport { bookings: 2, took: Duration::from_secs(1), ..with(blank, Status::Met) }
}

fn with(cell: CellReport, status: Status) -> CellReport {
    CellReport { judgement: Judgement { status, reasons: vec!["so".to_owned()] }, ..cell }
}

fn shows(cell: &CellReport, layer: Layer, kind: &str) -> CellReport {
    let anomaly = Anomaly {
        kind: kind.to_owned(),
        sentence: String::new(),
        count: 1,
        slot: SlotId(1),
        witness: Vec::new(),
    };
    let finding = Finding::from_anomalies("checker", layer, vec![anomaly]);
    CellReport { findings: vec![finding], ..cell.clone() }
}

/// As a search leaves it, broken by a schedule or not.
fn explored(cell: &CellReport, is_broken: bool) -> CellReport {
    let size = Size { holders: 2, slots: 1, bookings: 2, faults: 1 };
    let violation = Violation {
        schedule: 1,
        layer: Layer::Effect,
        anomaly: kinds::DUPLICATE_BOOKING.to_owned(),
        sentence: String::new(),
        seed: 1,
        before: size,
        after: size,
        replay: String::new(),
        path: None,
        history: History::default(),
        injections: Vec::new(),
    };
    let exploration = Exploration {
        schedules: 10,
        distinct: 10,
        bit_held: 1,
        bit: 1,
        virtual_time: Duration::from_secs(1),
        took: Duration::from_secs(1),
        buggify: None,
        violation: is_broken.then_some(violation),
        beside_live: false,
    };
    CellReport { exploration: Some(exploration), ..cell.clone() }
}

fn manifest() -> Manifest {
    Manifest {
        version: "0".to_owned(),
        revision: None,
        command: "lockproof gate".to_owned(),
        seed: 7,
        world: World::Live,
        provider: "embedded".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        took: Duration::ZERO,
        machine: "m".to_owned(),
        interrupted: false,
        partition: None,
    }
}

/// The status of `now`, held against what `old` left.
fn held(old: &CellReport, now: &CellReport) -> Status {
    let baseline = baseline(&manifest(), std::slice::from_ref(old), &Costs::default());
    let mut cells = [now.clone()];
    hold_against(&baseline, &mut cells, &Costs::default(), None);
    cells[0].judgement.status
}

#[test]
fn a_cell_of_both_worlds_is_as_bad_as_the_worse_of_them_and_says_which() {
    let searched = with(explored(&cell("redis-set-nx"), true), Status::Failed);
    let names = [("s".to_owned(), "redis-set-nx".to_owned()), ("s".to_owned(), "none".to_owned())];
    let ran = vec![cell("redis-set-nx"), cell("none")];
    let cells = joined(&names, vec![searched], ran);
    assert_eq!(cells.len(), 2);
    assert_eq!(cells[0].judgement.status, Status::Failed);
    assert_eq!(cells[0].judgement.reasons, ["searched: so", "live: so"]);
    assert!(cells[0].has_run() && cells[0].exploration.is_some());
    assert_eq!((cells[0].bookings, cells[1].judgement.status), (2, Status::Met));
}

#[test]
fn of_attempts_the_worst_counts_wherever_it_is() {
    let good = cell("none");
    let bad = with(good.clone(), Status::Failed);
    for attempts in [vec![good.clone(), bad.clone()], vec![bad, good]] {
        let worst = worst_of_each(attempts);
        assert_eq!((worst.len(), worst[0].judgement.status), (1, Status::Failed));
    }
}

#[test]
fn what_held_and_does_not_fails_although_it_is_expected_now() {
    let old = cell("redis-set-nx");
    let expectation = Some(Expectation::Duplicates);
    let sold = CellReport { duplicates: 1, expectation, ..old.clone() };
    assert_eq!(held(&old, &sold), Status::Failed);
    assert_eq!(held(&sold, &sold), Status::Met, "it was broken before");
    assert_eq!(held(&sold, &old), Status::Met, "better is no violation");
    assert_eq!(held(&explored(&old, false), &explored(&old, true)), Status::Failed);
    assert_eq!(held(&explored(&old, true), &explored(&old, true)), Status::Met);
}

#[test]
fn a_kind_that_is_new_fails_and_what_comes_and_goes_with_luck_does_not() {
    let old = cell("redis-set-nx");
    let broken = shows(&old, Layer::Effect, kinds::DUPLICATE_BOOKING);
    let orphan = shows(&old, Layer::Liveness, kinds::ORPHANED_LOCK);
    assert_eq!(held(&old, &orphan), Status::Failed);
    assert_eq!(held(&orphan, &orphan), Status::Met);
    assert_eq!(held(&broken, &shows(&old, Layer::Effect, kinds::LOST_BOOKING)), Status::Failed);
    assert_eq!(held(&broken, &orphan), Status::Met, "a broken one shows this and that");
    assert_eq!(held(&old, &shows(&old, Layer::Belief, kinds::OVERRUN)), Status::Met);
}

#[test]
fn a_cell_without_a_counterpart_is_counted_and_nothing_is_said_of_it() {
    let baseline = baseline(&manifest(), &[cell("none")], &Costs::default());
    let mut cells = [cell("redis-set-nx")];
    let notes = hold_against(&baseline, &mut cells, &Costs::default(), None);
    assert_eq!(cells[0].judgement.status, Status::Met);
    assert!(notes.iter().any(|note| note.starts_with("1 cells are not in the baseline")));
    assert!(notes.iter().any(|note| note.starts_with("1 cells of the baseline")));
}

/// Costs of so many attempts: the 99th percentile, which wobbles by a fiftieth.
fn costs(attempts: u32, p99_us: f64, bookings_per_s: f64) -> Costs {
    let mut costs = Costs::default();
    for attempt in 1..=attempts {
        let wobble = 1.0 + 0.02 * f64::from(attempt % 3);
        let acquire = PercentilesUs {
            count: 100,
            p50_us: 1.0,
            p99_us: p99_us * wobble,
            p999_us: 1.0,
            max_us: 1.0,
        };
        let took = Duration::from_secs_f64(2.0 / bookings_per_s);
        let cell = CellReport { acquire: Some(acquire), took, ..cell("none") };
        costs.add(&cell, cost_of_attempt(attempt, &cell).unwrap());
    }
    costs
}

/// The status and the last note, with a fifth more allowed.
fn paced(old: &Costs, now: &Costs) -> (Status, String) {
    let mut cells = [cell("none")];
    let baseline = baseline(&manifest(), &cells, old);
    let allowed = Some(Regression { most: 0.2 });
    let notes = hold_against(&baseline, &mut cells, now, allowed);
    (cells[0].judgement.status, notes.last().cloned().unwrap_or_default())
}

#[test]
fn what_costs_more_than_is_allowed_has_regressed_and_what_costs_less_more_has_not() {
    let old = costs(5, 1000.0, 100.0);
    assert_eq!(paced(&old, &costs(5, 1500.0, 100.0)).0, Status::Regressed, "latency");
    assert_eq!(paced(&old, &costs(5, 1000.0, 50.0)).0, Status::Regressed, "pace");
    assert_eq!(paced(&old, &costs(5, 1100.0, 95.0)).0, Status::Met, "a tenth is allowed");
    assert_eq!(paced(&old, &costs(5, 500.0, 200.0)).0, Status::Met, "quicker");
}

#[test]
fn a_change_that_nobody_would_notice_or_that_is_not_certain_is_none() {
    assert_eq!(paced(&costs(5, 40.0, 100.0), &costs(5, 80.0, 100.0)).0, Status::Met, "40 µs");
    let mut jumpy = Costs::default();
    for (attempt, p99_us) in (1..).zip([500.0, 4000.0, 800.0, 6000.0, 900.0]) {
        let cost = AttemptCost { attempt, acquire_p99_us: p99_us, bookings_per_s: 100.0 };
        jumpy.add(&cell("none"), cost);
    }
    assert_eq!(paced(&costs(5, 1000.0, 100.0), &jumpy).0, Status::Met, "its interval has 1");
}

#[test]
fn of_fewer_than_five_pairs_it_says_that_it_cannot_tell() {
    let (status, note) = paced(&costs(5, 1000.0, 100.0), &costs(4, 9000.0, 100.0));
    assert_eq!(status, Status::Met);
    assert!(note.starts_with("of 1 cells it cannot be told"), "{note}");
}

#[test]
fn an_attempt_that_was_not_as_expected_has_no_cost() {
    let acquire = PercentilesUs { count: 1, p50_us: 1.0, p99_us: 1.0, p999_us: 1.0, max_us: 1.0 };
    let good = CellReport { acquire: Some(acquire), ..cell("none") };
    assert!(cost_of_attempt(1, &good).is_some());
    assert!(cost_of_attempt(1, &with(good.clone(), Status::Inconclusive)).is_none());
    assert!(cost_of_attempt(1, &CellReport { bookings: 0, ..good }).is_none());
}

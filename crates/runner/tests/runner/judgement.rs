//! How a cell is judged: never green for want of evidence.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{CellReport, Status};
use lockproof_rig::live::{Database, Provider, RedisServer};
use lockproof_rig::{DatabaseEngine, RigError, ServerNeeds};
use lockproof_runner::{CellPlan, CellSettings, Finished, Matrix, Observer, cells_of};
use lockproof_scenario::parse;

use crate::support::{embedded, run, run_on, scenario};

fn reasons(report: &CellReport) -> String {
    report.judgement.reasons.join("; ")
}

#[test]
fn a_control_that_does_not_fail_is_a_failure() {
    let report = run(&scenario("row-lock", "duplicates", "60s", ""));
    assert_eq!(report.judgement.status, Status::Failed);
    assert!(reasons(&report).contains("expected to sell a slot twice and did not"));
}

#[test]
fn a_duplicate_that_nobody_expected_is_a_failure() {
    let pause = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
until-event = "another-commit"
for = "20s"
"#;
    let report = run(&scenario("none", "no-duplicates", "60s", pause));
    assert_eq!(report.judgement.status, Status::Failed);
    assert!(reasons(&report).contains("none expected"), "{}", reasons(&report));
}

#[test]
fn a_fault_that_never_bites_leaves_the_run_inconclusive() {
    let never = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1000
for = "1s"
"#;
    let report = run(&scenario("row-lock", "no-duplicates", "60s", never));
    assert_eq!(report.judgement.status, Status::Inconclusive);
    assert!(reasons(&report).contains("bit 0 of 0 times"), "{}", reasons(&report));
}

#[test]
fn a_control_whose_fault_never_bites_is_inconclusive_too() {
    let never = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1000
for = "1s"
"#;
    let report = run(&scenario("redis-set-nx", "duplicates", "60s", never));
    assert_eq!(report.judgement.status, Status::Inconclusive);
}

#[test]
fn a_run_without_contention_is_inconclusive() {
    let alone =
        scenario("redis-set-nx", "no-duplicates", "60s", "").replace("holders = 4", "holders = 1");
    let report = run(&alone);
    assert_eq!(report.judgement.status, Status::Inconclusive);
    assert!(reasons(&report).contains("contended"), "{}", reasons(&report));
}

#[test]
fn another_number_of_bookings_than_expected_is_a_failure() {
    let text = scenario("redis-set-nx", "no-duplicates", "60s", "")
        .replace("= \"no-duplicates\"", "= { bookings = 2 }");
    let report = run(&text);
    assert_eq!(report.judgement.status, Status::Failed);
    assert!(reasons(&report).contains("1 bookings, 2 expected"), "{}", reasons(&report));
}

#[test]
fn a_load_that_does_not_end_is_cut_short_and_everything_heals() {
    let held = r#"
[[fault]]
kind = "slow-commit"
nth = 1
for = "1h"
"#;
    let text = scenario("redis-set-nx", "no-duplicates", "60s", held);
    let report = run_on(embedded(), Duration::from_millis(500), &text, |_| {});
    assert_eq!(report.judgement.status, Status::Inconclusive, "{:?}", report.judgement);
    assert!(reasons(&report).contains("time limit"), "{}", reasons(&report));
    assert_eq!(report.injections.len(), 1);
    let record = &report.injections[0];
    assert!(record.healed.is_some() && record.bit, "evidence was lost: {record:?}");
}

#[test]
fn a_paused_holder_of_a_load_that_is_cut_short_is_healed_and_counted() {
    let held = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
for = "1h"
"#;
    let text = scenario("redis-set-nx", "no-duplicates", "60s", held);
    let report = run_on(embedded(), Duration::from_millis(500), &text, |_| {});
    assert_eq!(report.judgement.status, Status::Inconclusive, "{:?}", report.judgement);
    let record = &report.injections[0];
    assert!(record.healed.is_some() && record.bit, "evidence was lost: {record:?}");
}

#[test]
fn servers_that_do_not_stand_up_are_infrastructure() {
    let text = scenario("redis-set-nx", "no-duplicates", "60s", "");
    let report = run_on(Arc::new(Nothing), Duration::from_secs(60), &text, |_| {});
    assert_eq!(report.judgement.status, Status::Infrastructure);
    assert!(reasons(&report).contains("no servers today"), "{}", reasons(&report));
}

#[derive(Debug)]
struct Nothing;

impl Provider for Nothing {
    fn redis(
        &self,
        _number: usize,
        _needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        std::future::ready(Err(RigError::new("no servers today"))).boxed()
    }

    fn database<'a>(
        &'a self,
        _name: &'a str,
        _engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        std::future::ready(Err(RigError::new("no database today"))).boxed()
    }
}

#[test]
fn a_matrix_that_is_halted_begins_no_cell() {
    let text = scenario("redis-set-nx", "no-duplicates", "60s", "");
    let scenario = Arc::new(parse(Path::new("test.toml"), &text).unwrap());
    let settings = CellSettings {
        provider: Some(embedded()),
        checkers: Vec::new(),
        limit: Duration::from_secs(60),
        halt: Arc::new(AtomicBool::new(true)),
        holders: None,
    };
    let matrix = Matrix { plans: cells_of(&[scenario], 1), settings, jobs: 2 };
    assert_eq!(matrix.run(&mut Nobody), []);
}

struct Nobody;

impl Observer for Nobody {
    fn begun(&mut self, plan: &CellPlan) {
        panic!("{} began", plan.cell.strategy);
    }

    fn finished(&mut self, _plan: &CellPlan, finished: Finished) -> CellReport {
        finished.report
    }
}

#[test]
fn the_seed_of_a_cell_does_not_depend_on_its_neighbours() {
    let text = |strategies: &str| {
        scenario("redis-set-nx", "no-duplicates", "60s", "")
            .replace("strategies = [\"redis-set-nx\"]", strategies)
    };
    let cells = |strategies: &str| {
        let scenario = parse(Path::new("test.toml"), &text(strategies)).unwrap();
        cells_of(&[Arc::new(scenario)], 42)
    };
    let alone = cells("strategies = [\"redis-set-nx\"]");
    let last = cells("strategies = [\"row-lock\", \"redlock\", \"redis-set-nx\"]");
    assert_eq!(alone[0].seed, last[2].seed);
    assert_ne!(last[0].seed, last[1].seed);
}

//! Leases that are kept alive, and grants that wait for replicas: each bound is left out once, and is missed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::{CellReport, Status};
use lockproof_runner::{CellPlan, CellSettings, Finished, Matrix, Observer, cells_of};
use lockproof_scenario::{Scenario, files_under, load};

/// Every strategy of a shipped scenario in the simulated world, after `change` had its way with it.
fn simulated(name: &str, change: impl FnOnce(&mut Scenario)) -> Vec<CellReport> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = files_under(&folder).expect("the folder can be read");
    let named = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    let path = files.into_iter().find(named).unwrap_or_else(|| panic!("no scenario {name}"));
    let mut scenario = load(&path).unwrap_or_else(|why| panic!("{why}"));
    change(&mut scenario);
    let settings = CellSettings {
        provider: None,
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        limit: Duration::from_secs(60),
        halt: Arc::default(),
        holders: None,
    };
    let plans = cells_of(&[Arc::new(scenario)], 1);
    Matrix { plans, settings, jobs: 1 }.run(&mut Keep)
}

struct Keep;

impl Observer for Keep {
    fn begun(&mut self, _plan: &CellPlan) {}

    fn finished(&mut self, _plan: &CellPlan, finished: Finished) -> CellReport {
        finished.report
    }
}

fn met(reports: &[CellReport]) {
    for report in reports {
        assert_eq!(report.judgement.status, Status::Met, "{}: {report:?}", report.strategy);
    }
}

/// A holder that hangs is renewed for as long as it hangs, and keeps everybody out (F40).
#[test]
fn renewal_without_a_cap_keeps_the_others_from_their_bookings() {
    let capped = simulated("zombie-renewal", |_| {});
    met(&capped);
    let zombies = simulated("zombie-renewal", |scenario| scenario.renewals = Some(u32::MAX));
    for (report, capped) in zombies.iter().zip(&capped) {
        assert_eq!(report.judgement.status, Status::Failed, "{}", report.strategy);
        assert!(report.bookings < capped.bookings && report.refused_by_lock > 0, "{report:?}");
    }
}

/// A policy is heeded: without the renewals, or without the question, the slot is sold again (F03, F42).
#[test]
fn a_lease_that_is_kept_outlasts_its_work_and_one_that_was_lost_is_not_written_under() {
    met(&simulated("lease-kept-alive", |_| {}));
    let heeded = simulated("lost-signal-heeded", |_| {});
    met(&heeded);
    let kept = |report: &&CellReport| report.strategy.contains("~keep-alive");
    assert!(heeded.iter().filter(kept).all(|report| report.refused_by_lock > 0), "{heeded:?}");
    met(&simulated("watchdog-paused", |_| {}));
}

/// WAIT that nobody looks at waits for nothing (F28, F29).
#[test]
fn a_grant_that_waits_for_no_replica_is_lost_with_its_primary() {
    met(&simulated("failover-with-wait", |_| {}));
    let careless = simulated("failover-with-wait", |scenario| {
        scenario.replication.acknowledgements = 0;
    });
    let replicated = careless.iter().find(|report| report.strategy == "redis-replicated");
    let replicated = replicated.expect("the scenario has it");
    assert_eq!(replicated.judgement.status, Status::Failed, "{replicated:?}");
    assert!(replicated.duplicates > 0);
    met(&simulated("wait-for-the-wrong-replica", |_| {}));
    met(&simulated("wait-for-every-replica", |_| {}));
}

//! Runs one cell of a scenario that a test wrote.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::{CellReport, Finding};
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{Provider, find_provider};
use lockproof_runner::{CellPlan, CellSettings, Finished, Matrix, Observer, cells_of};
use lockproof_scenario::{Scenario, parse};

/// The first strategy of the scenario in `text`, after `plant` had its way with it.
pub(crate) fn run_planted(text: &str, plant: impl FnOnce(&mut Scenario)) -> CellReport {
    run_on(embedded(), Duration::from_secs(60), text, plant)
}

pub(crate) fn run(text: &str) -> CellReport {
    run_planted(text, |_| {})
}

pub(crate) fn run_on(
    provider: Arc<dyn Provider>,
    limit: Duration,
    text: &str,
    plant: impl FnOnce(&mut Scenario),
) -> CellReport {
    let mut scenario =
        parse(Path::new("test.toml"), text).unwrap_or_else(|error| panic!("{error}"));
    plant(&mut scenario);
    let checkers = lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect();
    let settings = CellSettings {
        provider: Some(provider),
        checkers,
        limit,
        halt: Arc::default(),
        holders: None,
    };
    let plans = cells_of(&[Arc::new(scenario)], 1);
    let mut reports = Matrix { plans, settings, jobs: 1 }.run(&mut Keep);
    assert_eq!(reports.len(), 1, "the scenario has one strategy");
    reports.remove(0)
}

pub(crate) fn embedded() -> Arc<dyn Provider> {
    let entry = find_provider("embedded").expect("a provider of that name");
    (entry.start)(&ExternalServers::default()).expect("the provider starts")
}

struct Keep;

impl Observer for Keep {
    fn begun(&mut self, _plan: &CellPlan) {}

    fn finished(&mut self, _plan: &CellPlan, finished: Finished) -> CellReport {
        finished.report
    }
}

/// What the checker of that name found, by kind.
pub(crate) fn kinds<'a>(report: &'a CellReport, checker: &str) -> Vec<&'a str> {
    let found = report.findings.iter().filter(|finding| finding.checker == checker);
    found.flat_map(Finding::kinds).collect()
}

trait Kinds {
    fn kinds(&self) -> Vec<&str>;
}

impl Kinds for Finding {
    fn kinds(&self) -> Vec<&str> {
        self.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect()
    }
}

/// A scenario of four holders that want one slot, with one strategy, the rest to be appended.
pub(crate) fn scenario(strategy: &str, expect: &str, ttl: &str, rest: &str) -> String {
    format!(
        r#"
schema_version = 1
name = "test"
strategies = ["{strategy}"]

[workload]
holders = 4
slots = 1
bookings = 8

[lock]
ttl = "{ttl}"
wait = {{ tries = 100000, delay = "1ms", jitter = "1ms" }}

[expect]
"{strategy}" = "{expect}"
{rest}
"#
    )
}

//! Runs the cells of a scenario, with this very program as their holders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::{CellReport, History};
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{HolderProgram, find_provider};
use lockproof_runner::{CellPlan, CellSettings, Finished, Matrix, Observer, cells_of};
use lockproof_scenario::{HoldersAs, Scenario, files_under, load, parse};

use crate::HOLDER;

/// Ends a hang, and no more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A cell that has run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) report: CellReport,
    pub(crate) history: History,
}

/// A scenario of processes that want one slot, the rest to be appended.
pub(crate) fn scenario(strategy: &str, holders: u32, bookings: u32, rest: &str) -> Scenario {
    let text = format!(
        r#"schema_version = 1
strategies = ["{strategy}"]
[workload]
holders = {holders}
holders-as = "processes"
slots = 1
capacity = 1000
bookings = {bookings}
[lock]
ttl = "200ms"
wait = {{ tries = 100000, delay = "1ms", jitter = "1ms" }}
[require]
contended = 0
{rest}
"#
    );
    parse(Path::new("test.toml"), &text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// One of those that are shipped.
pub(crate) fn shipped(name: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = files_under(&folder).expect("the folder can be read");
    let named = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    let path = files.into_iter().find(named).unwrap_or_else(|| panic!("no scenario {name}"));
    load(&path).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every cell of `scenario`, in order, with its holders as `kind`.
pub(crate) fn run_as(scenario: &Scenario, kind: HoldersAs, provider: &str) -> Vec<Ran> {
    let scenario = Scenario { holders_as: kind, ..scenario.clone() };
    stood_up(started(this_program(), PATIENCE, scenario, provider))
}

/// The one cell of `scenario`, on the embedded servers.
pub(crate) fn run(scenario: Scenario) -> Ran {
    run_for(PATIENCE, scenario)
}

/// The same, cut short at `limit`.
pub(crate) fn run_for(limit: Duration, scenario: Scenario) -> Ran {
    the_only(stood_up(started(this_program(), limit, scenario, "embedded")))
}

/// The report of one cell whose holders are `program`.
pub(crate) fn run_with(program: HolderProgram, scenario: Scenario) -> CellReport {
    the_only(started(program, PATIENCE, scenario, "embedded").0)
}

fn this_program() -> HolderProgram {
    HolderProgram::this(vec![HOLDER.to_owned()]).expect("this program has a path")
}

fn the_only<T>(mut ran: Vec<T>) -> T {
    assert_eq!(ran.len(), 1, "the scenario has one strategy");
    ran.remove(0)
}

fn stood_up((reports, histories): (Vec<CellReport>, Vec<History>)) -> Vec<Ran> {
    assert_eq!(histories.len(), reports.len(), "a cell did not stand up: {reports:?}");
    let ran = reports.into_iter().zip(histories);
    ran.map(|(report, history)| Ran { report, history }).collect()
}

/// What became of each cell, and the histories of those that stood up.
fn started(
    program: HolderProgram,
    limit: Duration,
    scenario: Scenario,
    provider: &str,
) -> (Vec<CellReport>, Vec<History>) {
    let entry = find_provider(provider).expect("a provider of that name");
    let provider = (entry.start)(&ExternalServers::default()).expect("the provider starts");
    let settings = CellSettings {
        provider: Some(provider),
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        limit,
        halt: Arc::default(),
        holders: Some(program),
    };
    let plans = cells_of(&[Arc::new(scenario)], 1);
    let mut histories = Histories(Vec::new());
    let reports = Matrix { plans, settings, jobs: 2 }.run(&mut histories);
    let Histories(mut histories) = histories;
    histories.sort_by_key(|(index, _)| *index);
    (reports, histories.into_iter().map(|(_, history)| history).collect())
}

struct Histories(Vec<(usize, History)>);

impl Observer for Histories {
    fn begun(&mut self, _plan: &CellPlan) {}

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        self.0.extend(finished.artifacts.map(|artifacts| (plan.index, artifacts.history)));
        finished.report
    }
}

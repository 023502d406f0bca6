//! From a search to a cell's report: what was found is made small, what was expected is judged.

use std::time::Duration;

use lockproof_model::{CellReport, Expectation, Exploration, Judgement, Layer, Status};
use lockproof_workload::Latencies;

use crate::cell::{Artifacts, CellPlan, Finished};
use crate::explore::{Broken, Buggify, Search, explore};
use crate::shrink::{Shrunk, digest, shrink, violation};
use crate::simulate::{simulate, simulate_cell};

/// Searches one cell, shrinks what breaks it, and judges.
///
/// # Panics
/// When a schedule does: a bug, with its seed in the message.
pub fn explore_cell(
    plan: &CellPlan,
    search: &Search,
    now: impl Fn() -> Duration + Sync,
    watch: &(impl Fn(u64) + Sync),
) -> Finished {
    let search = &search.of_cell(plan);
    let explored = explore(plan, search, now, watch);
    let mut figures = explored.figures;
    let Some((number, found, broken)) = explored.found else {
        // Its first schedule stands for the rest.
        let mut finished = simulate_cell(plan, &search.checkers);
        finished.report.judgement = match blocked_too_briefly(plan, search, &finished.report) {
            Some(judgement) => judgement,
            None => judge(plan, search, &figures, None),
        };
        finished.report.duplicates = 0;
        finished.report.exploration = Some(figures);
        return finished;
    };
    let shrunk = shrink(&found, &broken, search);
    let mut finished = simulate_cell(&shrunk.plan, &search.checkers);
    figures.violation = Some(violation(number, &found, &shrunk));
    finished.report.judgement = judge(plan, search, &figures, Some(&broken));
    finished.report.exploration = Some(figures);
    Finished { artifacts: Some(artifacts(shrunk)), ..finished }
}

/// Runs a replay in the simulated world and says whether its history is the one that was kept, byte for byte; the error
/// is a sentence.
///
/// # Errors
/// The scenario is no replay, or the schedule did not begin.
pub fn replay_simulated(plan: &CellPlan, search: &Search) -> Result<(Finished, bool), String> {
    let Some(replay) = &plan.scenario.replay else {
        return Err("it has no [replay] table: `lockproof explore` writes replays".to_owned());
    };
    let plan = CellPlan { seed: replay.seed, ..plan.clone() };
    let schedule = simulate(&plan)?;
    let same = digest(&schedule) == replay.digest;
    let broken = search.breaks(&schedule.judge(&search.checkers));
    let mut finished = simulate_cell(&plan, &search.checkers);
    let Some(broken) = broken else { return Ok((finished, same)) };
    let shrunk = Shrunk { plan: plan.clone(), schedule, broken };
    finished.report.exploration = Some(Exploration {
        schedules: 1,
        distinct: 1,
        bit_held: 0,
        bit: 0,
        virtual_time: shrunk.schedule.took,
        took: Duration::ZERO,
        buggify: None,
        violation: Some(violation(1, &plan, &shrunk)),
    });
    Ok((finished, same))
}

fn artifacts(shrunk: Shrunk) -> Artifacts {
    let latencies = Latencies::of(&shrunk.schedule.history);
    Artifacts { history: shrunk.schedule.history, table: shrunk.schedule.table, latencies }
}

/// An unsafe strategy has to be broken within its budget; a safe one must not be. A search in which no fault took
/// effect could have shown nothing.
fn judge(
    plan: &CellPlan,
    search: &Search,
    figures: &Exploration,
    broken: Option<&Broken>,
) -> Judgement {
    let judgement = |status, reason: Option<String>| Judgement {
        status,
        reasons: reason.into_iter().collect(),
    };
    let Exploration { schedules, bit, .. } = figures;
    // A control shows what the table suffers; where that is not looked for, it need not show anything.
    let control = match plan.cell.expect {
        Expectation::Duplicates if is_wide(search) => Some("to sell a slot twice".to_owned()),
        Expectation::Shows(kind) if is_wide(search) => {
            Some(format!("to show an anomaly of the kind {kind}"))
        }
        _ => None,
    };
    let as_expected = |broken: &Broken| match plan.cell.expect {
        Expectation::Shows(kind) => broken.anomaly == kind,
        _ => broken.layer == Layer::Effect,
    };
    match broken {
        Some(broken) if control.is_some() && as_expected(broken) => judgement(Status::Met, None),
        Some(broken) => {
            judgement(Status::Failed, Some(format!("schedule {schedules}: {}", broken.sentence)))
        }
        None if *schedules == 0 => {
            judgement(Status::Inconclusive, Some("no schedule was run".to_owned()))
        }
        None if *bit == 0 && has_faults(plan, search) => {
            let reason = format!("no fault took effect in {schedules} schedules");
            judgement(Status::Inconclusive, Some(reason))
        }
        None => match control {
            Some(what) => judgement(
                Status::Failed,
                Some(format!(
                    "expected {what} and did not in {schedules} schedules: the detector or the model is wrong, or the budget too small"
                )),
            ),
            None => judgement(Status::Met, None),
        },
    }
}

/// Whether the search looks at everything that the table suffers.
fn is_wide(search: &Search) -> bool {
    search.layers.contains(&Layer::Effect) && search.kinds.is_empty()
}

/// The first schedule speaks for the others here: it has its faults, and nothing is sought that a random one would add.
fn blocked_too_briefly(plan: &CellPlan, search: &Search, first: &CellReport) -> Option<Judgement> {
    let blocked = matches!(plan.cell.expect, Expectation::Blocked(_)) && is_wide(search);
    (blocked && search.schedules > 0 && first.judgement.status != Status::Met)
        .then(|| first.judgement.clone())
}

fn has_faults(plan: &CellPlan, search: &Search) -> bool {
    search.buggify != Buggify::Off || !plan.scenario.faults.is_empty()
}

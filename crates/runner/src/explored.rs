//! From a search to a cell's report: what was found is made small, what was expected is judged.

use std::time::Duration;

use lockproof_model::{Expectation, Exploration, Judgement, Layer, Status};
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
    let explored = explore(plan, search, now, watch);
    let mut figures = explored.figures;
    let Some((number, found, broken)) = explored.found else {
        // Its first schedule stands for the rest.
        let mut finished = simulate_cell(plan, &search.checkers);
        finished.report.judgement = judge(plan, search, &figures, None);
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
    let is_control = plan.cell.expect == Expectation::Duplicates
        && search.layers.contains(&Layer::Effect)
        && search.kinds.is_empty();
    match broken {
        Some(broken) if broken.layer == Layer::Effect && is_control => judgement(Status::Met, None),
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
        None if is_control => judgement(
            Status::Failed,
            Some(format!(
                "expected to sell a slot twice and did not in {schedules} schedules: the detector or the model is wrong, or the budget too small"
            )),
        ),
        None => judgement(Status::Met, None),
    }
}

fn has_faults(plan: &CellPlan, search: &Search) -> bool {
    search.buggify != Buggify::Off || !plan.scenario.faults.is_empty()
}

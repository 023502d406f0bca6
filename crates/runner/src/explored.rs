//! From a search to a cell's report: what was found is made small, what was expected is judged.

use std::time::Duration;

use lockproof_model::{
    Broken, CellReport, Expectation, Exploration, Judgement, Layer, SearchLog, Stakes, Status,
};
use lockproof_workload::Latencies;

use crate::cell::{Artifacts, CellPlan, Finished};
use crate::explore::{Buggify, Search, explore};
use crate::fold::Fold;
use crate::merge::Slices;
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
    let mut stakes = stakes(plan, search);
    let mut finished = match explored.found {
        None => {
            // Its first schedule stands for the rest.
            let mut finished = simulate_cell(plan, &search.checkers);
            stakes.first = blocked_too_briefly(plan, search, &finished.report);
            finished.report.judgement = match search.slice {
                Some(_) => judge_part(&stakes, &figures, None),
                None => judge(&stakes, &figures, None),
            };
            finished.report.duplicates = 0;
            finished
        }
        Some((number, found, broken)) => {
            let shrunk = shrink(&found, &broken, search);
            let mut finished = simulate_cell(&shrunk.plan, &search.checkers);
            figures.violation = Some(violation(number, &found, &shrunk));
            finished.report.judgement = judge(&stakes, &figures, Some((number, &broken)));
            Finished { artifacts: Some(artifacts(shrunk)), ..finished }
        }
    };
    finished.report.exploration = Some(figures);
    if let Some(chronicle) = search.chronicle.as_ref().filter(|_| search.slice.is_some()) {
        chronicle.searched(plan, SearchLog { stakes, glances: explored.glances });
    }
    finished
}

/// The search of a whole cell, from the searches of all its slices: the same figures and the same verdict, since the same
/// schedules are counted in the same order. None where there is no slice.
///
/// A slice looks on where another has found something, and what it saw there does not count; the smallest schedule is that
/// of the slice with the first that broke something.
#[must_use]
pub(crate) fn merge_searches(
    logs: Vec<(CellReport, SearchLog)>,
    slices: Slices,
) -> Option<CellReport> {
    let took = logs.iter().filter_map(|(report, _)| report.exploration.as_ref()).map(|it| it.took);
    let took = took.max().unwrap_or_default();
    let stakes = logs.first()?.1.stakes.clone();
    let (mut reports, mut glances) = (Vec::with_capacity(logs.len()), Vec::new());
    for (report, log) in logs {
        reports.push(report);
        glances.extend(log.glances);
    }
    let (figures, broken) = Fold::of(glances);
    let found = |report: &&CellReport| {
        let violation = report.exploration.as_ref().and_then(|it| it.violation.as_ref());
        violation.map(|violation| violation.schedule) == broken.as_ref().map(|(n, _)| n + 1)
    };
    let mut report = reports.iter().find(found).or(reports.first())?.clone();
    let broken = broken.as_ref().map(|(number, broken)| (number + 1, broken));
    report.judgement = match slices {
        Slices::All => judge(&stakes, &figures, broken),
        Slices::Some => judge_part(&stakes, &figures, broken),
    };
    report.exploration = report.exploration.map(|own| Exploration {
        took,
        buggify: own.buggify,
        violation: own.violation,
        ..figures
    });
    Some(report)
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
        beside_live: false,
    });
    Ok((finished, same))
}

fn artifacts(shrunk: Shrunk) -> Artifacts {
    let latencies = Latencies::of(&shrunk.schedule.history);
    Artifacts { history: shrunk.schedule.history, table: shrunk.schedule.table, latencies }
}

fn stakes(plan: &CellPlan, search: &Search) -> Stakes {
    let expect = plan.cell.expect;
    // A control shows what the table suffers; where that is not looked for, it need not show anything.
    let sought = match expect {
        Expectation::Duplicates if is_wide(search) => Some("to sell a slot twice".to_owned()),
        Expectation::Shows(kind) if is_wide(search) => {
            Some(format!("to show an anomaly of the kind {kind}"))
        }
        _ => None,
    };
    Stakes { expect, sought, has_faults: has_faults(plan, search), first: None }
}

/// An unsafe strategy has to be broken within its budget; a safe one must not be. A search in which no fault took
/// effect could have shown nothing. What was broken comes with the number of its schedule, counted from 1.
fn judge(stakes: &Stakes, figures: &Exploration, broken: Option<(u64, &Broken)>) -> Judgement {
    let judgement = |status, reason: Option<String>| Judgement {
        status,
        reasons: reason.into_iter().collect(),
    };
    let Exploration { schedules, bit, .. } = figures;
    let Stakes { expect, sought, has_faults, first } = stakes;
    let as_expected = |broken: &Broken| match expect {
        Expectation::Shows(kind) => broken.anomaly == *kind,
        _ => broken.layer == Layer::Effect,
    };
    match (broken, first) {
        (Some((_, broken)), _) if sought.is_some() && as_expected(broken) => {
            judgement(Status::Met, None)
        }
        (Some((number, broken)), _) => {
            judgement(Status::Failed, Some(format!("schedule {number}: {}", broken.sentence)))
        }
        (None, Some(first)) => first.clone(),
        (None, None) if *schedules == 0 => {
            judgement(Status::Inconclusive, Some("no schedule was run".to_owned()))
        }
        (None, None) if *bit == 0 && *has_faults => {
            let reason = format!("no fault took effect in {schedules} schedules");
            judgement(Status::Inconclusive, Some(reason))
        }
        (None, None) => match sought {
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

/// Where others have looked at the rest, or will have: what was not found here they may have found.
fn judge_part(stakes: &Stakes, figures: &Exploration, broken: Option<(u64, &Broken)>) -> Judgement {
    let judgement = judge(stakes, figures, broken);
    let (Status::Failed, None, Some(what)) = (judgement.status, broken, &stakes.sought) else {
        return judgement;
    };
    let schedules = figures.schedules;
    let reason = format!(
        "expected {what} and did not in the {schedules} schedules that were looked at here; all slices together decide"
    );
    Judgement { status: Status::Inconclusive, reasons: vec![reason] }
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

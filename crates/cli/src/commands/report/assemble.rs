//! The cells of one stored run: those that have ended as they were kept, the others from what they have left.

use std::collections::BTreeMap;
use std::sync::Arc;

use hdrhistogram::Histogram;
use lockproof_checkers::Checker;
use lockproof_model::Manifest;
use lockproof_report::{CellName, CellRemains, StoredRun};
use lockproof_runner::{Artifacts, CellPlan, Remains, Share, cells_of, unfinished};

use super::unusable;
use crate::exit::Failure;

/// Of a cell that has not ended.
const EARLY: &str = "the run ended early";

/// The cells of `run`, in the order of its plan.
pub(super) fn shares(run: &StoredRun) -> Result<Vec<Share>, Failure> {
    if run.is_finished {
        return run.cells.iter().map(|report| kept(run, report.clone())).collect();
    }
    let checkers: Vec<_> = lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect();
    let of_plan = |plan: &CellPlan| {
        let strategy = plan.cell.strategy.to_string();
        let cell = CellName { scenario: &plan.scenario.name, strategy: &strategy };
        let ended = run
            .cells
            .iter()
            .find(|it| it.scenario == cell.scenario && it.strategy == cell.strategy);
        match ended {
            Some(report) => kept(run, report.clone()),
            None => left(run, plan, cell, &checkers),
        }
    };
    plans(run)?.iter().map(of_plan).collect()
}

fn kept(run: &StoredRun, report: lockproof_model::CellReport) -> Result<Share, Failure> {
    let cell = CellName { scenario: &report.scenario, strategy: &report.strategy };
    let latencies = run.histograms(cell).map_err(unusable)?;
    let log = run.search_log(cell).map_err(unusable)?;
    Ok(Share { report, latencies, log })
}

fn left(
    run: &StoredRun,
    plan: &CellPlan,
    cell: CellName<'_>,
    checkers: &[&'static dyn Checker],
) -> Result<Share, Failure> {
    let remains = run.remains(cell).map_err(unusable)?;
    let remains = remains.map(|CellRemains { history, table, injections }| Remains {
        history,
        table,
        injections,
    });
    let finished = unfinished(plan, checkers, remains, EARLY);
    let latencies = finished.artifacts.map(samples).unwrap_or_default();
    Ok(Share { report: finished.report, latencies, log: None })
}

fn samples(artifacts: Artifacts) -> BTreeMap<String, Histogram<u64>> {
    artifacts.latencies.named().map(|(name, samples)| (name.to_owned(), samples.clone())).collect()
}

/// The cells that the run was to have, from the scenarios that it has kept.
fn plans(run: &StoredRun) -> Result<Vec<CellPlan>, Failure> {
    let scenarios = run.scenarios.iter().map(|scenario| {
        lockproof_scenario::parse(&scenario.path, &scenario.text).map(Arc::new).map_err(|error| {
            Failure::usage(format!("a scenario of a run that did not end cannot be read\n{error}"))
        })
    });
    let plans = cells_of(&scenarios.collect::<Result<Vec<_>, _>>()?, run.manifest.seed);
    let slice = run.manifest.partition.filter(|_| !is_search(&run.manifest));
    Ok(plans.into_iter().filter(|plan| slice.is_none_or(|slice| plan.is_in(slice))).collect())
}

/// Slices of a search have all cells, and each some schedules of them.
fn is_search(manifest: &Manifest) -> bool {
    manifest.command.split_whitespace().nth(1) == Some("explore")
}

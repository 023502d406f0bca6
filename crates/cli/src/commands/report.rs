//! `lockproof report`: stored runs shown again, whether or not they came to their end; several become one.

mod assemble;
mod fit;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use lockproof_model::{Instant, Manifest, RESULTS_SCHEMA_VERSION, RunReport, Slice};
use lockproof_report::{CellName, HistogramInterval, ReportDirectory, StoredRun};
use lockproof_runner::{Share, Slices, merge_cells};

use crate::arguments::{Color, ReportArguments};
use crate::exit::{Exit, Failure};
use crate::{results, terminal};

pub(crate) fn run(arguments: &ReportArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    let runs = arguments.directories.iter().map(|path| StoredRun::open(path));
    let runs: Vec<_> = runs.collect::<io::Result<_>>().map_err(unusable)?;
    fit::check(&runs).map_err(Failure::usage)?;
    let missing = missing(&runs);
    let is_all = missing.is_empty() && !runs.iter().any(|run| run.manifest.interrupted);
    let shares = merged(&runs, if is_all { Slices::All } else { Slices::Some })?;
    for slice in &missing {
        terminal::error(&format!("{slice} is missing: nothing is known of what it had to do"));
    }
    let manifest = manifest(&runs, !missing.is_empty());
    let cells = shares.iter().map(|share| share.report.clone()).collect();
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells };
    let kept = match &arguments.out {
        None => None,
        Some(out) => Some(keep(out, &runs, &shares, &report).map_err(|error| {
            Failure::infrastructure(format!("the report is incomplete: {error}"))
        })?),
    };
    let shown = kept.as_deref().or(match runs.as_slice() {
        [only] => Some(only.directory.as_path()),
        _ => None,
    });
    results::show(arguments.format, &report, shown, color, verbose)?;
    Ok(match Exit::from(report.status()) {
        Exit::Violated => Exit::Violated,
        _ if !missing.is_empty() => Exit::Infrastructure,
        // What was not run has shown nothing.
        Exit::Held if report.manifest.interrupted => Exit::Inconclusive,
        other => other,
    })
}

fn unusable(error: io::Error) -> Failure {
    Failure::usage(error.to_string())
}

/// The cells of all runs, each once, in the order of the whole.
fn merged(runs: &[StoredRun], slices: Slices) -> Result<Vec<Share>, Failure> {
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut cells: Vec<Vec<Share>> = Vec::new();
    let mut shares = Vec::new();
    for run in runs {
        // Slices have the cells of the whole by turns.
        let turn = run.manifest.partition.map_or(0, Slice::number);
        let own = assemble::shares(run)?;
        shares.extend(own.into_iter().enumerate().map(|(place, share)| (place, turn, share)));
    }
    shares.sort_by_key(|(place, turn, _)| (*place, *turn));
    for (_, _, share) in shares {
        let name = (share.report.scenario.clone(), share.report.strategy.clone());
        let place = *places.entry(name).or_insert(cells.len());
        match cells.get_mut(place) {
            Some(cell) => cell.push(share),
            None => cells.push(vec![share]),
        }
    }
    let merge = |shares: Vec<Share>| {
        let what =
            shares.first().map(|it| (it.report.scenario.clone(), it.report.strategy.clone()));
        let (scenario, strategy) = what.unwrap_or_default();
        merge_cells(shares, slices).map_err(|why| {
            Failure::usage(format!("cannot merge {scenario} under {strategy}: {why}"))
        })
    };
    cells.into_iter().map(merge).collect()
}

/// The slices that nobody has given.
fn missing(runs: &[StoredRun]) -> Vec<Slice> {
    let given: BTreeSet<_> = runs.iter().filter_map(|run| run.manifest.partition).collect();
    let count = given.first().map_or(0, |slice| slice.count());
    let all = (1..=count).filter_map(|number| Slice::new(number, count));
    all.filter(|slice| !given.contains(slice)).collect()
}

fn manifest(runs: &[StoredRun], is_incomplete: bool) -> Manifest {
    let manifests = || runs.iter().map(|run| &run.manifest);
    let machines: BTreeSet<_> = manifests().map(|it| it.machine.as_str()).collect();
    let first = &runs[0].manifest;
    let [_] = runs else {
        return Manifest {
            command: fit::command_of_whole(first),
            started: manifests().map(|it| it.started.clone()).min().unwrap_or_default(),
            took: manifests().map(|it| it.took).max().unwrap_or_default(),
            machine: machines.into_iter().collect::<Vec<_>>().join("; "),
            interrupted: is_incomplete || manifests().any(|it| it.interrupted),
            partition: None,
            ..first.clone()
        };
    };
    Manifest { interrupted: is_incomplete || first.interrupted, ..first.clone() }
}

/// Keeps the report in the directory `out`, with what it can be merged by again.
fn keep(
    out: &Path,
    runs: &[StoredRun],
    shares: &[Share],
    report: &RunReport,
) -> io::Result<PathBuf> {
    let directory = ReportDirectory::create_at(out)?;
    for scenario in runs.iter().flat_map(|run| &run.scenarios) {
        let name = scenario.path.file_stem().unwrap_or_default().to_string_lossy();
        directory.write_scenario(&name, &scenario.text)?;
    }
    for Share { report, latencies, .. } in shares.iter().filter(|it| !it.latencies.is_empty()) {
        let cell = CellName { scenario: &report.scenario, strategy: &report.strategy };
        let interval = |(label, histogram)| HistogramInterval {
            label,
            started: Instant::ZERO,
            duration: report.took,
            histogram,
        };
        let latencies = latencies.iter().map(|(label, histogram)| (label.as_str(), histogram));
        let intervals: Vec<_> = latencies.map(interval).collect();
        directory.write_histograms(cell, &intervals)?;
    }
    directory.write_results(report)?;
    Ok(directory.path())
}

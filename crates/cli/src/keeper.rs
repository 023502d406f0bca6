//! The report directory as it fills.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockproof_model::{Instant, RunReport, Sweep, Violation};
use lockproof_report::{CellName, HistogramInterval, Latest, ReportDirectory};
use lockproof_runner::{Artifacts, CellPlan, Finished};
use lockproof_scenario::{Scenario, resolved};

use crate::exit::Failure;
use crate::machine;

/// Keeps each cell on disk as soon as it has ended.
pub(crate) struct Keeper {
    directory: ReportDirectory,
}

impl Keeper {
    pub(crate) fn create(out: &Path, scenarios: &[Arc<Scenario>]) -> Result<Self, Failure> {
        let cannot = |error| Failure::infrastructure(format!("cannot keep a report: {error}"));
        let name = match scenarios {
            [only] => only.name.clone(),
            several => format!("{}-scenarios", several.len()),
        };
        let stem = format!("{}-{name}", machine::utc_for_file_names());
        let directory = ReportDirectory::create(out, &stem).map_err(cannot)?;
        for scenario in scenarios {
            directory.write_scenario(&scenario.name, &resolved(scenario)).map_err(cannot)?;
        }
        Ok(Self { directory })
    }

    /// Keeps what a cell left behind.
    pub(crate) fn keep(&self, plan: &CellPlan, finished: &Finished) -> io::Result<()> {
        let Some(Artifacts { history, table, latencies }) = &finished.artifacts else {
            return Ok(());
        };
        let cell =
            CellName { scenario: &finished.report.scenario, strategy: &finished.report.strategy };
        self.directory.write_history(cell, plan.seed, history, table)?;
        let interval = |label, histogram| HistogramInterval {
            label,
            started: Instant::ZERO,
            duration: finished.report.took,
            histogram,
        };
        let steps =
            latencies.steps.iter().map(|(step, histogram)| interval(step.word(), histogram));
        let whole = [
            interval("entry", &latencies.entry),
            interval("response", &latencies.response),
            interval("service", &latencies.service),
        ];
        let intervals: Vec<_> = steps.chain(whole).collect();
        self.directory.write_histograms(cell, &intervals).map(drop)
    }

    /// Keeps the smallest schedule that breaks a cell, and says where.
    pub(crate) fn keep_replay(
        &self,
        cell: CellName<'_>,
        violation: &Violation,
    ) -> io::Result<PathBuf> {
        self.directory.write_replay(cell, violation)
    }

    /// Writes what is known only at the end.
    pub(crate) fn finish(&self, report: &RunReport) -> io::Result<Latest> {
        self.directory.finish(report)
    }

    /// Writes what a sweep found.
    pub(crate) fn finish_sweep(&self, sweep: &Sweep) -> io::Result<Latest> {
        self.directory.finish_sweep(sweep)
    }

    /// Where everything is kept.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path()
    }
}

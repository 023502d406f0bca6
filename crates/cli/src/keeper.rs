//! The report directory as it fills.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lockproof_model::{CellReport, Instant, Manifest, RunReport, SearchLog, Sweep, Violation};
use lockproof_report::{CellName, HistogramInterval, Latest, LineStream, ReportDirectory};
use lockproof_runner::{Artifacts, CellPlan, Chronicle, Finished, Running, Schedule};
use lockproof_scenario::{Scenario, resolved};

use crate::exit::Failure;
use crate::machine;
use crate::scribe::{Followed, Scribe};

/// Keeps on disk what a run does while it does it, and each cell as soon as it has ended: a run that does not come to
/// its end leaves a directory that `lockproof report` reads.
#[derive(Debug)]
pub(crate) struct Keeper {
    directory: Arc<ReportDirectory>,
    cells: Mutex<LineStream>,
    scribe: Scribe,
}

impl Keeper {
    /// `manifest` says for now that the run was interrupted: until its end it could be.
    pub(crate) fn create(
        out: &Path,
        scenarios: &[Arc<Scenario>],
        manifest: &Manifest,
    ) -> Result<Self, Failure> {
        let name = match scenarios {
            [only] => only.name.clone(),
            several => format!("{}-scenarios", several.len()),
        };
        let stem = format!("{}-{name}", machine::utc_for_file_names());
        let started = || {
            let directory = ReportDirectory::create(out, &stem)?;
            directory.write_manifest(manifest)?;
            for scenario in scenarios {
                directory.write_scenario(&scenario.name, &resolved(scenario))?;
            }
            let cells = Mutex::new(directory.stream_cells()?);
            let scribe = Scribe::start(directory.stream_faults()?)?;
            Ok(Self { directory: Arc::new(directory), cells, scribe })
        };
        started().map_err(|error: io::Error| {
            Failure::infrastructure(format!("cannot keep a report: {error}"))
        })
    }

    /// Tells what a live cell does from now on.
    pub(crate) fn follow(&self, plan: &CellPlan, running: Running) -> io::Result<()> {
        let (scenario, strategy) = (plan.scenario.name.clone(), plan.cell.strategy.to_string());
        let cell = CellName { scenario: &scenario, strategy: &strategy };
        let stream = self.directory.stream_history(cell, plan.seed)?;
        self.scribe.follow(plan.index, Followed { scenario, strategy, running, stream });
        Ok(())
    }

    /// Keeps what a cell left behind.
    ///
    /// # Errors
    /// The first thing that could not be kept; the others were tried all the same.
    pub(crate) fn keep(&self, plan: &CellPlan, finished: &Finished) -> io::Result<()> {
        let CellReport { scenario, strategy, .. } = &finished.report;
        let cell = CellName { scenario, strategy };
        let told = self.scribe.leave(plan.index);
        let kept = match &finished.artifacts {
            Some(artifacts) => self.keep_artifacts(cell, plan, finished, artifacts),
            None => self.directory.forget_unfinished(cell),
        };
        let listed = self.list(&finished.report);
        // A stream that failed while the whole could be kept has cost nothing.
        kept.and(listed).map_err(|error| told.err().unwrap_or(error))
    }

    /// Keeps what a cell came to, and nothing else of it.
    pub(crate) fn list(&self, report: &CellReport) -> io::Result<()> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).append_cell(report)
    }

    fn keep_artifacts(
        &self,
        cell: CellName<'_>,
        plan: &CellPlan,
        finished: &Finished,
        Artifacts { history, table, latencies }: &Artifacts,
    ) -> io::Result<()> {
        let interval = |(label, histogram)| HistogramInterval {
            label,
            started: Instant::ZERO,
            duration: finished.report.took,
            histogram,
        };
        let intervals: Vec<_> = latencies.named().map(interval).collect();
        let measured = self.directory.write_histograms(cell, &intervals);
        let told = self.directory.write_history(cell, plan.seed, history, table);
        told.and(measured).map(drop)
    }

    /// Keeps the smallest schedule that breaks a cell, and says where.
    pub(crate) fn keep_replay(
        &self,
        cell: CellName<'_>,
        violation: &Violation,
    ) -> io::Result<PathBuf> {
        self.directory.write_replay(cell, violation)
    }

    /// Keeps more of a search than its report does: what slices add up by, and with `all` every schedule.
    pub(crate) fn chronicle(&self, all: bool) -> Arc<SearchChronicle> {
        Arc::new(SearchChronicle {
            directory: Arc::clone(&self.directory),
            all,
            trouble: Mutex::default(),
        })
    }

    /// Writes what is known only at the end.
    pub(crate) fn finish(&mut self, report: &RunReport) -> io::Result<Latest> {
        self.scribe.dismiss();
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

/// Writes down a search.
#[derive(Debug)]
pub(crate) struct SearchChronicle {
    directory: Arc<ReportDirectory>,
    /// Every schedule, not only what slices add up by.
    all: bool,
    /// The first thing that could not be written.
    trouble: Mutex<Option<io::Error>>,
}

impl SearchChronicle {
    /// The first thing that could not be written, once.
    pub(crate) fn trouble(&self) -> Option<io::Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, written: io::Result<PathBuf>) {
        if let Err(error) = written {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert(error);
        }
    }
}

impl Chronicle for SearchChronicle {
    fn looked(&self, plan: &CellPlan, number: u64, schedule: &Schedule) {
        if self.all {
            let strategy = plan.cell.strategy.to_string();
            let cell = CellName { scenario: &plan.scenario.name, strategy: &strategy };
            let Schedule { history, table, .. } = schedule;
            // Counted from 1, as reports do.
            let which = (number + 1, plan.seed);
            self.note(self.directory.write_schedule(cell, which, history, table));
        }
    }

    fn searched(&self, plan: &CellPlan, log: SearchLog) {
        let strategy = plan.cell.strategy.to_string();
        let cell = CellName { scenario: &plan.scenario.name, strategy: &strategy };
        self.note(self.directory.write_search_log(cell, &log));
    }
}

//! What is kept of several attempts at one cell.

use std::collections::BTreeMap;
use std::io;

use lockproof_model::{CellReport, Status};
use lockproof_runner::{CellPlan, Costs, Finished, Observer, cost_of_attempt};

use crate::commands::run::label;
use crate::keeper::Keeper;
use crate::progress::Display;

/// Keeps the history of the worst attempt, the cost of every one, and shows how far the gate is.
pub(super) struct Watcher<'a> {
    pub(super) display: Display,
    pub(super) keeper: &'a Keeper,
    /// What each attempt cost.
    pub(super) costs: Costs,
    /// The first thing that could not be kept; the gate goes on, and its end says so.
    pub(super) trouble: Option<io::Error>,
    /// Cells of one round of attempts.
    cells: usize,
    /// How bad the attempt was whose history is kept.
    worst: BTreeMap<String, Status>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(display: Display, keeper: &'a Keeper, cells: usize) -> Self {
        let (costs, worst) = (Costs::default(), BTreeMap::new());
        Self { display, keeper, costs, trouble: None, cells, worst }
    }
}

impl Observer for Watcher<'_> {
    fn begun(&mut self, plan: &CellPlan) {
        self.display.begun(label(plan));
    }

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        let (name, status) = (label(plan), finished.report.judgement.status);
        if self.worst.get(&name).is_none_or(|worst| status > *worst) {
            if let Err(error) = self.keeper.keep(plan, &finished) {
                self.trouble.get_or_insert(error);
            }
            self.worst.insert(name.clone(), status);
        }
        let attempt = u32::try_from(plan.index / self.cells.max(1) + 1).unwrap_or(u32::MAX);
        if let Some(cost) = cost_of_attempt(attempt, &finished.report) {
            self.costs.add(&finished.report, cost);
        }
        self.display.finished(&name, &finished.report);
        finished.report
    }
}

//! Shows how far the confirmation on real sockets is.

use lockproof_model::CellReport;
use lockproof_runner::{CellPlan, Finished, Observer};

use crate::commands::run::label;
use crate::progress::Display;

/// Keeps nothing: what a value came to is all that is asked of it.
pub(super) struct Watcher {
    pub(super) display: Display,
}

impl Observer for Watcher {
    fn begun(&mut self, plan: &CellPlan) {
        self.display.begun(label(plan));
    }

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        self.display.compared(&label(plan), &finished.report);
        finished.report
    }
}

//! Writes operations down as the workload's recorder does; its histograms are made after a run, from these.

use std::sync::{Arc, Mutex, PoisonError};

use lockproof_model::{
    AttemptId, HolderId, Instant, Operation, OperationId, Outcome, Reason, SlotId, Step,
};

/// One holder's part of a history: behind a mutex, since the run takes it when the holder has stopped.
#[derive(Debug)]
pub(super) struct Pen {
    holder: HolderId,
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug)]
struct Pages {
    operations: Vec<Operation>,
    open: Option<Operation>,
}

impl Pen {
    pub(super) fn new(holder: HolderId) -> Self {
        let pages = Pages { operations: Vec::new(), open: None };
        Self { holder, pages: Arc::new(Mutex::new(pages)) }
    }

    pub(super) fn invoke(&self, step: Step, invoked: Instant) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).open = Some(Operation {
            id: OperationId(0),
            holder: self.holder,
            attempt: AttemptId(0),
            slot: SlotId(self.holder.0),
            step,
            invoked,
            completed: None,
            outcome: Outcome::Info(Reason::Unanswered),
        });
    }

    pub(super) fn complete(&self, completed: Instant, outcome: Outcome) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(operation) = pages.open.take() else { return };
        pages.operations.push(Operation { completed: Some(completed), outcome, ..operation });
    }

    /// Takes what was written, as the run does when its holders have stopped.
    pub(super) fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut self.pages.lock().unwrap_or_else(PoisonError::into_inner).operations)
    }
}

//! Writes operations down as the workload's recorder does.

use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;
use lockproof_model::{
    AttemptId, HolderId, Instant, Operation, OperationId, Outcome, Reason, SlotId, Step,
};

use crate::measure::{histogram, record};

/// The histories of a run are as long as that; beyond, this one begins again and keeps its memory.
const OPERATIONS_MAX: usize = 20_000;

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
    latencies: Histogram<u64>,
}

impl Pen {
    pub(super) fn new(holder: HolderId) -> Self {
        let pages = Pages { operations: Vec::new(), open: None, latencies: histogram() };
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
        record(&mut pages.latencies, completed.saturating_since(operation.invoked));
        if pages.operations.len() == OPERATIONS_MAX {
            pages.operations.clear();
        }
        pages.operations.push(Operation { completed: Some(completed), outcome, ..operation });
    }
}

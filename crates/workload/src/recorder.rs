//! The pen: one holder's operations as they happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockproof_model::{
    Attempt, AttemptResult, HolderId, Instant, Operation, OperationId, Outcome, Reason, Step,
};
use serde::{Deserialize, Serialize};

use crate::holder::Target;

/// What a holder that is a process of its own writes down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Note {
    /// An attempt starts.
    Started {
        /// What it is after.
        target: Target,
        /// When it was meant to start.
        intended: Instant,
        /// When it did.
        started: Instant,
    },
    /// A step's request is about to leave.
    Invoked {
        /// For which attempt.
        target: Target,
        /// Which step.
        step: Step,
        /// When.
        invoked: Instant,
    },
    /// The answer to the step that was invoked last was seen.
    Completed {
        /// When.
        completed: Instant,
        /// What it was.
        outcome: Outcome,
    },
    /// The attempt has ended.
    Finished {
        /// When.
        finished: Instant,
        /// What it came to.
        result: AttemptResult,
    },
}

/// One holder's part of the history. Shared with the run, which takes it when the holder has stopped, so that
/// nothing is lost when a holder is dropped in the middle of a step.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    holder: HolderId,
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    operations: Vec<Operation>,
    /// Whether the last operation was invoked and not completed: a holder has one in flight at most.
    is_open: bool,
    attempts: Vec<Attempt>,
    current: Option<Attempt>,
}

impl Recorder {
    /// For about so many operations: growing moves all that were written.
    pub(crate) fn new(holder: HolderId, operations: usize) -> Self {
        let operations = Vec::with_capacity(operations);
        Self { holder, pages: Arc::new(Mutex::new(Pages { operations, ..Pages::default() })) }
    }

    pub(crate) const fn holder(&self) -> HolderId {
        self.holder
    }

    /// Writes down what a process has noted.
    pub(crate) fn note(&self, note: Note) {
        match note {
            Note::Started { target, intended, started } => self.start(target, intended, started),
            Note::Invoked { target, step, invoked } => self.invoke(target, step, invoked),
            Note::Completed { completed, outcome } => self.complete(completed, outcome),
            Note::Finished { finished, result } => self.finish(finished, result),
        }
    }

    pub(crate) fn start(&self, target: Target, intended: Instant, started: Instant) {
        self.pages().current = Some(Attempt {
            id: target.attempt,
            holder: self.holder,
            slot: target.slot,
            intended,
            started,
            finished: started,
            result: AttemptResult::Unknown { error: "the run ended before its answer".to_owned() },
        });
    }

    pub(crate) fn finish(&self, finished: Instant, result: AttemptResult) {
        let mut pages = self.pages();
        if let Some(attempt) = pages.current.take() {
            pages.attempts.push(Attempt { finished, result, ..attempt });
        }
    }

    pub(crate) fn invoke(&self, target: Target, step: Step, invoked: Instant) {
        let mut pages = self.pages();
        pages.is_open = true;
        pages.operations.push(Operation {
            id: OperationId(0), // numbered when the history is assembled
            holder: self.holder,
            attempt: target.attempt,
            slot: target.slot,
            step,
            invoked,
            completed: None,
            outcome: Outcome::Info(Reason::Unanswered),
        });
    }

    pub(crate) fn complete(&self, completed: Instant, outcome: Outcome) {
        let mut pages = self.pages();
        if std::mem::take(&mut pages.is_open)
            && let Some(operation) = pages.operations.last_mut()
        {
            operation.completed = Some(completed);
            operation.outcome = outcome;
        }
    }

    /// The holder died: what is open ends as *info*, and its attempt as unknown at `now`.
    pub(crate) fn abandon(&self, now: Instant) {
        let mut pages = self.pages();
        let Pages { is_open, attempts, current, .. } = &mut *pages;
        *is_open = false;
        let died = |attempt| Attempt { finished: now, result: AttemptResult::death(), ..attempt };
        attempts.extend(current.take().map(died));
    }

    /// Everything written so far. What is still open ends as *info*, and its attempt as unknown at `now`.
    pub(crate) fn take(&self, now: Instant) -> (Vec<Operation>, Vec<Attempt>) {
        let mut pages = self.pages();
        let Pages { operations, mut attempts, current, .. } = std::mem::take(&mut *pages);
        attempts.extend(current.map(|attempt| Attempt { finished: now, ..attempt }));
        (operations, attempts)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The pen: one holder's operations as they happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockproof_model::{
    Attempt, AttemptResult, HolderId, Instant, Operation, OperationId, Outcome, Reason, Step,
};
use serde::{Deserialize, Serialize};

use crate::holder::Target;
use crate::transcript::Excerpt;

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

/// How far a reader has read a holder's pages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// Operations that have ended.
    operations: usize,
    /// The one after them was told as it began.
    is_open_told: bool,
    /// Attempts that have ended, and whether the one after them was told as it began.
    attempts: usize,
    is_current_told: bool,
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

    /// Adds to `excerpt` what was written since `mark` was moved last.
    pub(crate) fn since(&self, mark: &mut Mark, excerpt: &mut Excerpt) {
        let pages = self.pages();
        let Pages { operations, is_open, attempts, current } = &*pages;
        let ended = operations.len() - usize::from(*is_open);
        let unread = operations.get(mark.operations..ended).unwrap_or_default();
        excerpt.operations.extend_from_slice(unread);
        let is_told = mark.is_open_told && unread.is_empty();
        if let Some(open) = operations.last().filter(|_| *is_open && !is_told) {
            excerpt.operations.push(open.clone());
        }
        (mark.operations, mark.is_open_told) = (ended, *is_open);
        let unread = attempts.get(mark.attempts..).unwrap_or_default();
        excerpt.attempts.extend_from_slice(unread);
        let is_told = mark.is_current_told && unread.is_empty();
        excerpt.attempts.extend(current.iter().filter(|_| !is_told).cloned());
        (mark.attempts, mark.is_current_told) = (attempts.len(), current.is_some());
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use lockproof_model::{AttemptId, Effect, SlotId};

    use super::*;

    const TARGET: Target = Target { attempt: AttemptId(1), slot: SlotId(2) };

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn what_is_open_is_told_once_and_again_when_it_has_ended() {
        let (recorder, mut mark) = (Recorder::new(HolderId(1), 8), Mark::default());
        let mut read = || {
            let mut excerpt = Excerpt::default();
            recorder.since(&mut mark, &mut excerpt);
            let ends: Vec<_> = excerpt.operations.iter().map(|op| op.completed).collect();
            (ends, excerpt.attempts.len())
        };
        assert_eq!(read(), (vec![], 0));
        recorder.start(TARGET, at(1), at(1));
        recorder.invoke(TARGET, Step::Acquire, at(1));
        assert_eq!(read(), (vec![None], 1), "both as they began");
        assert_eq!(read(), (vec![], 0), "and not twice");
        recorder.complete(at(2), Outcome::Ok(Effect::Done));
        recorder.invoke(TARGET, Step::Check, at(3));
        assert_eq!(read(), (vec![Some(at(2)), None], 0));
        recorder.complete(at(4), Outcome::Ok(Effect::Done));
        recorder.finish(at(5), AttemptResult::death());
        assert_eq!(read(), (vec![Some(at(4))], 1));
        assert_eq!(recorder.take(at(6)).0.len(), 2, "a reader takes nothing away");
        assert_eq!(read(), (vec![], 0), "what was taken is nobody's");
    }

    #[test]
    fn what_a_dead_holder_left_open_was_told_as_it_stays() {
        let (recorder, mut mark) = (Recorder::new(HolderId(1), 8), Mark::default());
        recorder.start(TARGET, at(1), at(1));
        recorder.invoke(TARGET, Step::Acquire, at(1));
        recorder.abandon(at(9));
        let mut excerpt = Excerpt::default();
        recorder.since(&mut mark, &mut excerpt);
        assert_eq!((excerpt.operations.len(), excerpt.attempts.len()), (1, 1));
        assert!(excerpt.attempts[0].result.is_death());
    }
}

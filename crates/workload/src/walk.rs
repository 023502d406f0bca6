//! From step to step: asks the gate at each, and writes each down.

use std::sync::Arc;

use lockproof_env::Env;
use lockproof_locks::Kept;
use lockproof_model::{
    AttemptResult, Effect, HolderId, Instant, LockName, Moment, Outcome, Point, SlotId, Step,
};

use crate::gate::{Occurrence, Seen, StepGate};
use crate::holder::Target;
use crate::recorder::{Note, Recorder};
use crate::remote::{HolderEnd, Word};

/// Where a holder writes down what it does.
#[derive(Clone, Debug)]
pub(crate) enum Pen {
    /// In the history, of which it is a part.
    Recorder(Recorder),
    /// Over the line to whoever keeps it.
    Remote(Arc<dyn HolderEnd>),
}

impl Pen {
    pub(crate) fn start(&self, target: Target, intended: Instant, started: Instant) {
        match self {
            Self::Recorder(recorder) => recorder.start(target, intended, started),
            Self::Remote(end) => end.say(&Word::Note(Note::Started { target, intended, started })),
        }
    }

    pub(crate) fn finish(&self, finished: Instant, result: AttemptResult) {
        match self {
            Self::Recorder(recorder) => recorder.finish(finished, result),
            Self::Remote(end) => end.say(&Word::Note(Note::Finished { finished, result })),
        }
    }

    fn invoke(&self, target: Target, step: Step, invoked: Instant) {
        match self {
            Self::Recorder(recorder) => recorder.invoke(target, step, invoked),
            Self::Remote(end) => end.say(&Word::Note(Note::Invoked { target, step, invoked })),
        }
    }

    fn complete(&self, completed: Instant, outcome: Outcome) {
        match self {
            Self::Recorder(recorder) => recorder.complete(completed, outcome),
            Self::Remote(end) => end.say(&Word::Note(Note::Completed { completed, outcome })),
        }
    }
}

/// The end of the lease that a holder has; looked at where the gate asks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until<'a> {
    /// As it was granted or renewed.
    pub(crate) granted: Option<Instant>,
    /// The lease that is kept alive, which knows better.
    pub(crate) kept: Option<&'a Kept>,
}

impl Until<'_> {
    fn end(self) -> Option<Instant> {
        self.kept.map_or(self.granted, |kept| Some(kept.lease().valid_until))
    }
}

/// What every holder has, whatever it works with.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) id: HolderId,
    pub(crate) env: Env,
    pub(crate) gate: Arc<dyn StepGate>,
    pub(crate) pen: Pen,
    /// The lock of the slot that it was after last.
    lock: Option<(SlotId, LockName)>,
}

impl Walk {
    pub(crate) const fn new(id: HolderId, env: Env, gate: Arc<dyn StepGate>, pen: Pen) -> Self {
        Self { id, env, gate, pen, lock: None }
    }

    /// The request is about to leave: passes the step's beginning, and writes it down.
    pub(crate) async fn invoke(&mut self, target: Target, step: Step, until: Until<'_>) {
        let point = Point::before(step);
        if self.gate.concerns(point) {
            self.pass(target, point, Seen::Nothing, until).await;
        }
        self.pen.invoke(target, step, self.env.now());
    }

    /// The answer is there: lets the gate delay its arrival, writes it down, and passes the step's end.
    pub(crate) async fn complete(
        &mut self,
        target: Target,
        step: Step,
        outcome: Outcome,
        until: Until<'_>,
    ) {
        let seen = goes_on(&outcome);
        let point = Point { moment: Moment::Answer, step };
        if self.gate.concerns(point) {
            self.pass(target, point, seen, until).await;
        }
        self.pen.complete(self.env.now(), outcome);
        let point = Point::after(step);
        if self.gate.concerns(point) {
            self.pass(target, point, seen, until).await;
        }
    }

    /// Asks the gate, at a point that concerns it. Asked whether it does before this, since hardly any does and a
    /// future that has nothing to wait for takes its time all the same.
    async fn pass(&mut self, target: Target, point: Point, seen: Seen, until: Until<'_>) {
        let occurrence = Occurrence {
            holder: self.id,
            attempt: target.attempt,
            slot: target.slot,
            lock: self.lock_of(target),
            point,
            at: self.env.now(),
            seen,
            valid_until: until.end(),
        };
        if let Some(wait) = self.gate.pass(&occurrence) {
            wait.await;
        }
    }

    /// The lock of the slot that it is after; named once for all its steps.
    pub(crate) fn lock_of(&mut self, target: Target) -> LockName {
        match &self.lock {
            Some((slot, lock)) if *slot == target.slot => lock.clone(),
            _ => self.lock.insert((target.slot, target.lock())).1.clone(),
        }
    }
}

fn goes_on(outcome: &Outcome) -> Seen {
    match outcome {
        Outcome::Ok(Effect::Checked { free: false, .. } | Effect::Repeated { .. })
        | Outcome::Fail(_)
        | Outcome::Info(_) => Seen::Ends,
        Outcome::Ok(_) => Seen::GoesOn,
    }
}

//! Holders in processes of their own.
//!
//! ```text
//!   the run                                                a process per holder
//!   Seat ──┬─ Arrivals: who books what, when      Word     attend ── Holder ── flow ── lock, guard
//!          ├─ StepGate: faults                  ◀───────     │  notes what it does, asks for its next attempt,
//!          └─ Recorder: the history      Answer ───────▶     └─ and for leave at points that concern a fault
//! ```
//!
//! The steps, the flow and what a holder writes down are the same code as a task's. What faults and the history are made
//! of stays with the run: a process that dies takes nothing along that it has said. All stamps are of the kernel's
//! monotonic clock, counted from the run's epoch, and so lie on one axis.
//!
//! **A request never leaves before its note has.** A holder that dies between the two has an operation that nobody knows
//! the end of, and never a booking of which no history tells. What was completed may be said with the next word: should the
//! holder die in between, the operation ends as *info*, which is always right.
//!
//! **Architecture invariant:** no bytes, pipes or processes here; whoever starts processes brings the two ends.

mod attend;
mod run;
mod seat;

use std::error::Error;
use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Instant, Point};
use serde::{Deserialize, Serialize};

pub use self::attend::{Post, attend};
pub use self::run::{Apart, run_apart};
use crate::gate::Occurrence;
use crate::holder::Target;
use crate::recorder::Note;

/// What a holder's process says to its seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Word {
    /// It is connected.
    Ready,
    /// It cannot connect, and ends; why, in full.
    Failed(String),
    /// For the history.
    Note(Note),
    /// Which attempt comes next? It waits for the answer.
    Next,
    /// It has come to a point that concerns a fault, and waits for leave to go on.
    At(Occurrence),
}

impl Word {
    /// Whether it may be said together with the next one: nothing happens in the world between the two.
    #[must_use]
    pub const fn can_wait(&self) -> bool {
        match self {
            Self::Note(Note::Started { .. } | Note::Completed { .. } | Note::Finished { .. }) => {
                true
            }
            Self::Note(Note::Invoked { .. })
            | Self::Ready
            | Self::Failed(_)
            | Self::Next
            | Self::At(_) => false,
        }
    }
}

/// What a seat answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// The next attempt, at the time for which it was meant.
    Attempt {
        /// What it is after.
        target: Target,
        /// When it was meant to start.
        intended: Instant,
    },
    /// There is none left: it settles, and ends.
    Over,
    /// It may go on.
    GoOn,
}

/// A holder's end of the line.
pub trait HolderEnd: Debug + Send + Sync {
    /// Says `word`. On return it can no longer be lost, even if this process is killed, unless it
    /// [can wait](Word::can_wait). Where the seat is gone it does not return: what a holder did from here on would be in
    /// no history.
    fn say(&self, word: &Word);

    /// The answer to what was asked last; never, when the seat is gone.
    fn hear(&self) -> BoxFuture<'_, Answer>;
}

/// A seat's end of the line, and the process at the other.
pub trait SeatEnd: Debug + Send {
    /// Answers.
    fn answer(&mut self, answer: Answer) -> BoxFuture<'_, Result<(), Broken>>;

    /// The next word; none when the process has ended and everything was heard.
    ///
    /// # Cancel safety
    /// A word that was not given is given the next time.
    fn hear(&mut self) -> BoxFuture<'_, Result<Option<Word>, Broken>>;

    /// Kills the process. What it had said can still be heard.
    fn kill(&mut self);

    /// Waits until the process has ended: how, as the rest of a sentence about it, unless it ended well.
    fn ended(self: Box<Self>) -> BoxFuture<'static, Option<String>>;
}

/// A line on which nothing more can be said or understood.
pub type Broken = Box<dyn Error + Send + Sync>;

/// Starts holders in processes of their own.
pub trait Launcher: Debug + Send + Sync {
    /// Starts one for `holder`, and tells it all that it has to know: it asks for leave where the gate `concerns` itself.
    /// Dropping the answer kills it.
    ///
    /// # Errors
    /// It cannot be started, or its group was killed meanwhile.
    fn launch<'a>(
        &'a self,
        holder: HolderId,
        life: u32,
        concerns: &'a [Point],
    ) -> BoxFuture<'a, Result<Box<dyn SeatEnd>, Broken>>;
}

#[cfg(test)]
mod tests {
    use lockproof_model::{
        AttemptId, AttemptResult, Effect, LockName, Outcome, OwnerValue, SlotId, Step,
    };

    use super::*;
    use crate::gate::Seen;

    const TARGET: Target = Target { attempt: AttemptId(7), slot: SlotId(3) };

    /// One of each kind, and whether it may be said with the next.
    fn words() -> Vec<(Word, bool)> {
        let (at, target) = (Instant::from_nanos(5), TARGET);
        let granted = Effect::Granted {
            owner: OwnerValue::from_bits(9),
            requested: at,
            valid_until: Instant::FAR_FUTURE,
            fencing_token: None,
            tries: 2,
        };
        let occurrence = Occurrence {
            holder: HolderId(1),
            attempt: target.attempt,
            slot: target.slot,
            lock: LockName::new("slot-3"),
            point: Point::after(Step::Check),
            at,
            seen: Seen::GoesOn,
            valid_until: Some(Instant::FAR_FUTURE),
        };
        let note = |note| Word::Note(note);
        vec![
            (Word::Ready, false),
            (Word::Failed("nobody is there".to_owned()), false),
            (note(Note::Started { target, intended: at, started: at }), true),
            // The one that stands between a holder and the world.
            (note(Note::Invoked { target, step: Step::Commit, invoked: at }), false),
            (note(Note::Completed { completed: at, outcome: Outcome::Ok(granted) }), true),
            (note(Note::Finished { finished: at, result: AttemptResult::death() }), true),
            (Word::Next, false),
            (Word::At(occurrence), false),
        ]
    }

    #[test]
    fn no_request_leaves_before_its_note_and_no_question_waits() {
        for (word, can_wait) in words() {
            assert_eq!(word.can_wait(), can_wait, "{word:?}");
        }
    }

    #[test]
    fn what_is_said_is_understood() {
        for (word, _) in words() {
            let text = serde_json::to_string(&word).unwrap();
            assert_eq!(serde_json::from_str::<Word>(&text).unwrap(), word, "{text}");
        }
        let intended = Instant::FAR_FUTURE;
        for answer in [Answer::Attempt { target: TARGET, intended }, Answer::Over, Answer::GoOn] {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer, "{text}");
        }
    }
}

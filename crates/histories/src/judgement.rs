//! What a search came to, in words and as what serializes.

use std::fmt;

use serde::Serialize;

use crate::{Action, Answer, LockHistory, LockOperation, Model, Refusal, Stuck};

/// Raised by every change that a reader could notice.
pub const JUDGEMENT_SCHEMA_VERSION: u32 = 1;

/// A history, judged by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// [`JUDGEMENT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// By which model.
    pub model: Model,
    /// What it is.
    pub verdict: Verdict,
    /// The operations that were looked at.
    pub operations: usize,
    /// Of how many of them nobody knows what came of them.
    pub unknown: usize,
    /// How many certainly failed, and were left out.
    pub failed: u32,
    /// On how many locks.
    pub locks: usize,
    /// By how many owners.
    pub owners: usize,
    /// On which lock the search was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up: Option<String>,
    /// What is wrong, where it is violated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<Violation>,
}

/// What a history is by a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The operations on every lock have an order that the model allows.
    Valid,
    /// Those on one have none.
    Violated,
    /// The search was given up.
    Unknown,
}

/// Why there is no order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// On which lock.
    pub lock: String,
    /// How many of its answered operations the longest order has; none where two holds overlap, which needs no search.
    pub ordered: Option<usize>,
    /// How many there are.
    pub answered: usize,
    /// The operation that would have to be next.
    pub next: Told,
    /// Why it cannot be.
    pub why: Refusal,
    /// By which acquire the lock is held there, if it is.
    pub holder: Option<Told>,
}

/// An operation with its owner's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Whose.
    pub owner: String,
    /// What.
    pub action: Action,
    /// The fencing token that an acquire was answered.
    pub fence: Option<u64>,
    /// The line of its invocation; none in a run of ours.
    pub line: Option<u32>,
    /// When it was invoked: in nanoseconds in a run of ours, else counted in events.
    pub invoked: u64,
}

impl Judgement {
    /// Says what `answer` means for the `history` that was searched.
    #[must_use]
    pub fn new(history: &LockHistory, model: Model, answer: &Answer) -> Self {
        let verdict = match answer {
            Answer::Valid => Verdict::Valid,
            Answer::Violated(_) => Verdict::Violated,
            Answer::Unknown(_) => Verdict::Unknown,
        };
        let given_up = match answer {
            Answer::Unknown(lock) => Some(name(&history.locks, *lock)),
            _ => None,
        };
        let violation = match answer {
            Answer::Violated(stuck) => Some(violation(history, stuck)),
            _ => None,
        };
        let operations = &history.operations;
        Self {
            schema_version: JUDGEMENT_SCHEMA_VERSION,
            model,
            verdict,
            operations: operations.len(),
            unknown: operations.iter().filter(|it| it.completed.is_none()).count(),
            failed: history.failed,
            locks: history.locks.len(),
            owners: history.owners.len(),
            given_up,
            violation,
        }
    }
}

fn violation(history: &LockHistory, stuck: &Stuck) -> Violation {
    let told = |operation: &LockOperation| Told {
        owner: name(&history.owners, operation.owner),
        action: operation.action,
        fence: operation.fence,
        line: (operation.line > 0).then_some(operation.line),
        invoked: operation.invoked,
    };
    Violation {
        lock: name(&history.locks, stuck.lock),
        ordered: stuck.ordered,
        answered: stuck.of,
        next: told(&stuck.next),
        why: stuck.why,
        holder: stuck.holder.as_ref().map(told),
    }
}

fn name(names: &[String], place: u32) -> String {
    let name = usize::try_from(place).ok().and_then(|place| names.get(place));
    name.cloned().unwrap_or_default()
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.name();
        if let Some(violation) = &self.violation {
            let lock = violation.lock.escape_debug();
            writeln!(f, "violated: what was done to `{lock}` has no order that {model} allows")?;
            write!(f, "{violation}")?;
        } else if let Some(lock) = &self.given_up {
            let lock = lock.escape_debug();
            writeln!(
                f,
                "unknown: the search of an order on `{lock}` that {model} allows was given up"
            )?;
        } else {
            writeln!(f, "valid: what was done to each lock has an order that {model} allows")?;
        }
        write!(
            f,
            "operations: {}, of which unknown: {}; failed and left out: {}; locks: {}; owners: {}",
            self.operations, self.unknown, self.failed, self.locks, self.owners
        )
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}, but ", self.next)?;
        match (self.why, &self.holder) {
            (Refusal::TokenNotAbove(before), _) => writeln!(f, "token {before} was given before")?,
            (Refusal::Held | Refusal::NotItsOwner, Some(holder)) => {
                writeln!(
                    f,
                    "`{}` holds it since it {}",
                    holder.owner.escape_debug(),
                    holder.deed()
                )?;
            }
            (Refusal::Held | Refusal::NotItsOwner, None) => writeln!(f, "another holds it")?,
            (Refusal::Free, _) => writeln!(f, "nobody holds it")?,
        }
        match self.ordered {
            Some(ordered) => writeln!(
                f,
                "  the longest order that is allowed has {ordered} of {} answered operations, and ends there",
                self.answered
            ),
            None => writeln!(
                f,
                "  both held it for certain: from the answer to the acquire to the invocation of the release"
            ),
        }
    }
}

impl Told {
    fn deed(&self) -> String {
        let deed = match (self.action, self.fence) {
            (Action::Acquire, Some(fence)) => format!("acquired it with token {fence}"),
            (Action::Acquire, None) => "acquired it".to_owned(),
            (Action::Release, _) => "gave it back".to_owned(),
        };
        match self.line {
            Some(line) => format!("{deed} (line {line})"),
            None => {
                let (seconds, nanos) = (self.invoked / 1_000_000_000, self.invoked % 1_000_000_000);
                format!("{deed} (at {seconds}.{nanos:09} s)")
            }
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.owner.escape_debug(), self.deed())
    }
}

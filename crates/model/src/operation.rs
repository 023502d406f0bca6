//! One operation of one holder: an invocation and at most one completion.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AttemptId, BookingId, FencingToken, HolderId, Instant, OperationId, OwnerValue, Refusal,
    SlotId, Step, nanos,
};

/// One step that one holder took, with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its place in the history.
    pub id: OperationId,
    /// Who.
    pub holder: HolderId,
    /// For which attempt.
    pub attempt: AttemptId,
    /// On which slot.
    pub slot: SlotId,
    /// What.
    pub step: Step,
    /// When it was invoked.
    #[serde(rename = "invoked_ns")]
    pub invoked: Instant,
    /// When its completion was seen. An operation without one ends as *info*.
    #[serde(rename = "completed_ns")]
    pub completed: Option<Instant>,
    /// What came of it.
    pub outcome: Outcome,
}

/// The three ways in which an operation ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type", content = "value")]
pub enum Outcome {
    /// It happened, with this effect.
    Ok(Effect),
    /// It did not happen and never will.
    Fail(Reason),
    /// Nobody knows: a time limit passed, an answer was lost, the holder died.
    Info(Reason),
}

impl Outcome {
    /// Whether this is *ok*.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }

    /// The effect of an *ok*.
    #[must_use]
    pub const fn effect(&self) -> Option<&Effect> {
        match self {
            Self::Ok(effect) => Some(effect),
            Self::Fail(_) | Self::Info(_) => None,
        }
    }
}

/// What an *ok* operation did or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect", deny_unknown_fields)]
pub enum Effect {
    /// The lock was granted.
    Granted {
        /// The owner value of the granted request.
        owner: OwnerValue,
        /// When the granted request left (earlier tries of a waiting acquire were refused).
        #[serde(rename = "requested_ns")]
        requested: Instant,
        /// The end of validity.
        #[serde(rename = "valid_until_ns")]
        valid_until: Instant,
        /// The token, where the lock draws one.
        fencing_token: Option<FencingToken>,
        /// How many requests it took.
        tries: u32,
    },
    /// The lease lasts longer now.
    Renewed {
        /// The new end of validity.
        #[serde(rename = "valid_until_ns")]
        valid_until: Instant,
    },
    /// The lease was found to stand for this much longer.
    Verified {
        /// Remaining validity.
        #[serde(rename = "remaining_ns", with = "nanos")]
        remaining: Duration,
    },
    /// The slot was read.
    Checked {
        /// Confirmed bookings seen.
        confirmed: u32,
        /// Whether that left room.
        free: bool,
    },
    /// The request turned out to have been carried out before: the booking stands.
    Repeated {
        /// Its row.
        booking: BookingId,
    },
    /// The row was written, not yet committed.
    Inserted {
        /// Its place within the slot's capacity.
        unit: u32,
    },
    /// The booking stands.
    Committed {
        /// Its row.
        booking: BookingId,
    },
    /// The backend answered a release.
    Released {
        /// Whether the lock was still the holder's own when it was released.
        owned: bool,
    },
    /// The step has no result beside having happened.
    Done,
}

/// Why an operation failed, or why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason", content = "detail")]
pub enum Reason {
    /// A clear no.
    Refused(Refusal),
    /// An error, in its own words.
    Error(String),
    /// The run ended, or the holder died, before the answer came.
    Unanswered,
}

impl Operation {
    /// Time from the invocation to the completion; `None` while it has none.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.completed.map(|end| end.saturating_since(self.invoked))
    }
}

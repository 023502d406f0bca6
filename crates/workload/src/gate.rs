//! Where a fault may come between two steps.

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptId, HolderId, Instant, LockName, Point, SlotId};
use serde::{Deserialize, Serialize};

/// Asked by every holder at every point of every step, before it goes on.
pub trait StepGate: Debug + Send + Sync + 'static {
    /// Whether anything may happen at this point; where nothing may, nobody is asked.
    fn concerns(&self, _point: Point) -> bool {
        true
    }

    /// What the holder has to wait for before it may go on; nothing, as nearly always.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the wait; what the gate had begun for it is the gate's to end.
    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>>;

    /// Waits for what [`pass`](Self::pass) says.
    ///
    /// # Cancel safety
    /// As there.
    fn wait<'a>(&'a self, occurrence: &'a Occurrence) -> BoxFuture<'a, ()> {
        self.pass(occurrence).unwrap_or_else(|| std::future::ready(()).boxed())
    }
}

/// A holder has come to a point of its flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// Who.
    pub holder: HolderId,
    /// For which attempt.
    pub attempt: AttemptId,
    /// On which slot.
    pub slot: SlotId,
    /// The lock of that slot.
    pub lock: LockName,
    /// Where in the flow.
    pub point: Point,
    /// When.
    pub at: Instant,
    /// What the step's answer was, at a point after it.
    pub seen: Seen,
    /// The end of the holder's lease, while it holds one.
    pub valid_until: Option<Instant>,
}

/// What a holder knows of a step when it comes to one of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The step has not been answered.
    Nothing,
    /// It went well, and the booking goes on from here.
    GoesOn,
    /// It was refused or failed, and the booking ends.
    Ends,
}

/// Lets everyone through at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl StepGate for OpenGate {
    fn concerns(&self, _point: Point) -> bool {
        false
    }

    fn pass<'a>(&'a self, _occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        None
    }
}

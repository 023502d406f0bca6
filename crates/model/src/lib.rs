//! The vocabulary of Lockproof as plain values.
//!
//! Everything that two rooms of the house must agree on is a type here: what a lock is called, what a
//! holder did and when, what the table said in the end, and what follows from it. The words are those
//! of the glossary (ARCHITECTURE.md).
//!
//! **Architecture invariant:** this crate does no I/O, is not async and reads no clock. Instants
//! are offsets on the run's own monotonic clock, so that a simulated run and a live one are told apart
//! by nothing in these types.

mod amount;
mod answers;
mod baseline;
mod certainty;
mod comparison;
mod exploration;
mod failure_modes;
mod fault;
mod hash;
mod history;
mod instant;
mod judgement;
pub mod kinds;
mod lease;
mod names;
mod nanos;
mod operation;
mod pictures;
mod report;
mod search_log;
mod slice;
mod span;
mod step;
mod sweep;
mod table;
mod verdict;

pub use amount::Amount;
pub use answers::AnswerCount;
pub use baseline::{AttemptCost, BASELINE_SCHEMA_VERSION, Baseline, BaselineCell, Seen};
pub use certainty::{Certainty, in_full};
pub use comparison::{
    Asked, COMPARISON_SCHEMA_VERSION, Compared, Comparison, Cost, Demand, Gap, Stand, Trial,
};
pub use exploration::{Exploration, Size, Violation};
pub use failure_modes::{FAILURE_MODES, FailureMode, Place, failure_mode};
pub use fault::{FaultRecord, FaultSummary};
pub use hash::fnv1a;
pub use history::{Attempt, AttemptResult, History, RefusedBy};
pub use instant::Instant;
pub use judgement::{Expectation, Judgement, ParseExpectationError, Status};
pub use lease::{Lease, LeaseChange, Refusal};
pub use names::{
    AttemptId, BookingId, Claim, FencingToken, HolderId, LockName, OperationId, OwnerValue, SlotId,
};
pub use operation::{Effect, Operation, Outcome, Reason};
pub use pictures::{CurvePoint, Pictures, Scene, Stretch, Timeline};
pub use report::{
    CellReport, DriverSetting, Layers, Manifest, PercentilesUs, RESULTS_SCHEMA_VERSION, RunReport,
    ServerInfo, ServerSetting, Story, StoryLine, World,
};
pub use search_log::{Broken, Glance, SearchLog, Stakes};
pub use slice::{ParseSliceError, Slice};
pub use span::Span;
pub use step::{Moment, ParsePointError, Point, Step};
pub use sweep::{Dial, Envelope, LiveOutcome, LiveTry, SWEEP_SCHEMA_VERSION, Shape, Sweep, Tried};
pub use table::{BookingRow, BookingTable, SlotRow};
pub use verdict::{Anomaly, Evidence, Finding, Layer, LockLeft, Verdict};

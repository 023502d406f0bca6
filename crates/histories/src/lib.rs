//! Histories of locks that other programs stored, and a search that judges them by a model.
//!
//! ```text
//!   Jepsen's EDN ──▶ read_edn        ┐
//!   lines of JSON ─▶ read_json_lines ┼─▶ LockHistory ──▶ search ──▶ Answer ──▶ Judgement
//!   a run of ours ─▶ LockHistory::of ┘                     ▲ Model
//! ```
//!
//! Readers are strict and bounded: whatever the bytes, they end with a history or with an error that names line and
//! column, and hold one form at a time beside what they have read.
//!
//! **Architecture invariant:** nothing here knows a strategy, a rig or a database, and nothing reads a clock: whoever
//! asks for a search says when it has taken too long.

mod edn;
mod error;
mod event;
mod history;
mod json_lines;
mod judgement;
mod model;
mod ours;
mod overlap;
mod search;

pub use edn::read_edn;
pub use error::ReadError;
pub use history::{Action, LockHistory, LockOperation};
pub use json_lines::read_json_lines;
pub use judgement::{JUDGEMENT_SCHEMA_VERSION, Judgement, Told, Verdict, Violation};
pub use model::{Model, Refusal};
pub use search::{Answer, Limits, Stuck, search};

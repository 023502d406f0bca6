//! What follows from the evidence.
//!
//! A [`Checker`] judges one property and is one file under `catalog/`. The *effect* checker reads the table,
//! since the database is the judge; the others say why: the lock was wrong, the holder outlived its lease, or
//! the tokens went back. [`tell`] turns an anomaly into the story that a report shows.
//!
//! ```text
//!   History ┐                    ┌─ duplicate-bookings   effect
//!   Table   ├─▶ judge_all ──▶ ───┼─ mutual-exclusion     belief     ──▶ Findings ──▶ layers_of
//!   Faults  ┘                    └─ fencing-monotonic    service
//! ```
//!
//! **Architecture invariant:** checkers are pure functions of [`lockproof_model::Evidence`]. They read no
//! clock, keep no state, and know no strategy: which lock was used is not evidence.

mod catalog;
mod cause;
mod checker;
mod hold;
mod passage;
mod sale;
mod story;
mod words;

pub use catalog::{CheckerEntry, ENTRIES, duplicates, find};
pub use checker::{Checker, judge_all, layers_of};
pub use lockproof_model::kinds;
pub use story::tell;

//! What follows from the evidence.
//!
//! A [`Checker`] judges one property and is one file under `catalog/`. The *effect* checker reads the table,
//! since the database is the judge; the others say why: the lock was wrong, the holder outlived its lease, or
//! the guard let it through. [`tell`] turns an anomaly into the story that a report shows.
//!
//! ```text
//!   History ┐                    ┌─ effect     what the table holds: duplicate-bookings, stale-writes, …
//!   Table   ├─▶ judge_all ──▶ ───┼─ belief     who thought to be alone: mutual-exclusion      ──▶ Findings
//!   Faults  ┘                    ├─ service    what the lock said: overlapping-grants, refusals, …
//!                                └─ liveness   whether anyone got on: availability, fairness, …
//! ```
//!
//! **Architecture invariant:** checkers are pure functions of [`lockproof_model::Evidence`]. They read no
//! clock, keep no state, and know no strategy: which lock was used is not evidence.

mod catalog;
mod cause;
mod checker;
mod ending_last;
mod hold;
mod passage;
mod sale;
mod story;
mod words;

pub use catalog::{CheckerEntry, ENTRIES, duplicates, find};
pub use checker::{Checker, judge_all, layers_of};
pub use lockproof_model::kinds;
pub use story::tell;

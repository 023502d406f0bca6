//! Conformance suites, planted bugs, and what the tests of several crates share.
//!
//! ```text
//!   catalog entry ──▶ Bench (a rig of its own, the lock built on it) ──▶ conformance::locks::TRIALS
//!                 ──▶ tables on each engine ────────────────────────▶ conformance::guards::trials
//!   planted::*    ──▶ the same trials, and the runner with its checkers: each bug must be rejected
//! ```
//!
//! Trials are chosen by capability: what a lock does not promise is skipped, and the skip says why. A trial that has to
//! see time pass asserts lower bounds only, and asks again until something has happened; its upper limits are there to
//! end a hang.
//!
//! **Architecture invariant:** used from tests/ folders only. A trial fails by panicking, as a test does.

pub mod adapters;
mod bench;
pub mod conformance;
mod gates;
pub mod planted;
mod polls;
mod provider;

pub use bench::{Bench, Subject};
pub use gates::{Arrival, Gatekeeper, Passages};
pub use polls::{drop_after, drop_once, poll_at_most};
pub use provider::{
    Mixed, container_engine_is_here, coordinator_is_here, database_is_here, is_here,
    redis_server_is_here,
};

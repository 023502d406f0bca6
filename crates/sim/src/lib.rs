//! A deterministic executor: one thread, virtual time to the nanosecond, and a seed that decides every order.
//!
//! ```text
//!   Env ──▶ Simulation ── agenda: what happens when (sleeps end, messages arrive)
//!                     └── tasks: ready ones, one of which the seed chooses
//! ```
//!
//! Time stands still while anything can run and then jumps to the next thing on the agenda: an hour of waiting costs
//! nothing. Two runs of one seed do the same in the same order, which is all that a replay needs.
//!
//! Its own, because a paused tokio clock rounds each sleep up to a millisecond, and locks are lost and won within
//! one: races that short could not even be expressed.
//!
//! It knows nothing of locks or networks. Pausing, resuming and killing are the [`Group`](lockproof_env::Group)'s: a
//! task is polled only while its group runs, here as in the live world.
//!
//! # Invariants
//!
//! - No clock is read, nothing is random but by the seed, and nothing depends on an address or a hash order.
//! - Nothing of a simulation outlives it: dropped, it drops its tasks, and what they would start meanwhile never runs.
//! - A panic in a task ends the run and names its seed and its virtual time.

mod agenda;
mod shared;
mod simulation;
mod sleep;
mod tasks;

pub use agenda::{Event, once};
pub use shared::Shared;
pub use simulation::{Handle, Simulation, Stuck};

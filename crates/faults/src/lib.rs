//! What can go wrong with a rig, and when it does.
//!
//! A [`Fault`] is one file under `catalog/`: it injects itself into a rig and gives an [`Injection`] that heals it.
//! [`Triggers`] decides when: it is the workload's [`StepGate`](lockproof_workload::StepGate) for faults at steps,
//! and keeps a time line for the rest. Every injection is recorded with what was observed to prove that it took
//! effect; one that did not bite proves nothing, and a run of such is inconclusive.
//!
//! **Architecture invariant:** every fault is healed: by its trigger, at the end of the run, and on panic by the
//! injection's `Drop`.

mod arguments;
pub mod buggify;
mod catalog;
mod fault;
mod links;
mod log;
mod lost;
mod servers;
mod trigger;
mod triggers;

pub use arguments::{Argument, ArgumentError, Arguments, parse_duration};
pub use catalog::{ENTRIES, FaultEntry, Field, Worlds, find};
pub use fault::{Fault, Healed, Injection, Lasts, Occasion, Reach};
pub use log::{FaultBookmark, FaultLog};
pub use trigger::{Choice, Event, FaultPlan, ParseEventError, Trigger};
pub use triggers::Triggers;

//! The booking workload: who tries to book what, step by step, and what came of it.
//!
//! ```text
//!   run ─▶ holder 1 … holder n     each a task in a group of its own, with its own lock and database session;
//!            │                     a Seat outside the group starts it again when it was killed
//!            │  takes the next Attempt
//!            ▼
//!          Flow (catalog/*.rs)     the order of steps of one booking
//!            │  acquire → begin → check → work → insert → commit → release, for most
//!            ▼
//!          Holder::<step>          asks the StepGate, does the step, writes it down
//! ```
//!
//! Or each holder is a process of its own ([`run_apart`]), with the same flow and steps: see `remote.rs`. Or it is a
//! customer of a service ([`run_customers`]), whose steps are requests: see `customers.rs`.
//!
//! **Architecture invariant:** this crate is the only writer of a [`History`](lockproof_model::History), and it
//! knows no fault: at each step it asks a [`StepGate`] and goes on when that lets it.

mod arrivals;
mod catalog;
mod curve;
mod customers;
mod gate;
mod holder;
mod latency;
mod life;
mod load;
mod recorder;
mod remote;
mod renewing;
mod several;
mod timeline;
mod trade;
mod transcript;
mod walk;

pub use arrivals::{Pace, Rate, Spacing};
pub use catalog::{ENTRIES, Flow, FlowEntry, FlowField, FlowSettings, find};
pub use curve::curve;
pub use customers::{Couriers, Customers, Ledger, run_customers};
pub use gate::{Occurrence, OpenGate, Seen, StepGate};
pub use holder::{Holder, Target};
pub use latency::{Latencies, largest_backlog, longest_gap, percentiles};
pub use load::{Load, Parties, Record, SetUpError, Stop, run};
pub use recorder::Note;
pub use remote::{
    Answer, Apart, Broken, HolderEnd, Launcher, Post, SeatEnd, Word, attend, run_apart,
};
pub use timeline::timeline;
pub use transcript::{Bookmark, Excerpt, Transcript};

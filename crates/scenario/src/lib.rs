//! A scenario file, and the plan that it comes to.
//!
//! [`load`] parses in one pass and collects every problem with its line and column: what is unknown, what is
//! missing, what cannot work together. A [`Scenario`] has every name resolved against the catalogs, so that whatever
//! can be rejected is rejected before a server is started.
//!
//! ```text
//!   file ─▶ source.rs  spans, lines, problems
//!             └▶ reader.rs  typed fields; what nobody read is unknown
//!                  └▶ parse.rs  [target] [workload] [lock] [[fault]] [expect] [require] ─▶ Scenario
//! ```

mod adapter;
mod arrivals;
mod database;
mod faults;
mod files;
mod flow;
mod holders;
mod only;
mod parse;
mod plan;
mod reader;
mod render;
mod servers;
mod source;
mod strategy;
mod suggest;
mod target;
mod turn;
mod vary;

pub use files::files_under;
pub use holders::HoldersAs;
pub use only::Only;
pub use parse::{load, parse, with_faults};
pub use plan::{Cell, Replay, Require, SCHEMA_VERSION, Scenario};
pub use render::resolved;
pub use source::{Problem, Problems};
pub use strategy::{Strategy, StrategyError};
pub use suggest::nearest;
pub use target::{AnswersExpected, Bounds, ServiceCommand, ServicePlace, ServiceTarget, Variant};
pub use turn::{ParseTurnError, Turn};
pub use vary::{Dialled, amount_like, dial, with_amounts};

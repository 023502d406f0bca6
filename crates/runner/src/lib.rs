//! Conducts: one cell, and a matrix of them.
//!
//! ```text
//!   matrix ─▶ jobs threads ─▶ cell:  rig up ─▶ faults armed ─▶ load ─▶ healed ─▶ table read
//!                                                                      └─▶ checkers ─▶ judge ─▶ CellReport
//! ```
//!
//! Each cell runs on a thread and runtime of its own, with servers of its own, so that cells disturb each other's
//! results no more than two programs on one machine do. The checkers and the fault catalogue's effects come in as
//! arguments, so that a test can hand in planted bugs. Where a scenario wants holders to be processes, this program is
//! started again for each of them, and is [one](hold).

mod cell;
mod compare;
mod conduct;
mod explore;
mod explored;
mod fold;
mod gate;
mod holders;
mod judge;
mod matrix;
mod merge;
mod order;
mod running;
mod scene;
mod served;
mod shrink;
mod simulate;
mod sweep;
mod unfinished;

pub use cell::{Artifacts, CellPlan, CellSettings, Finished, replay_live};
pub use compare::{Contest, compare, contestants, cost_of, undisturbed};
pub use explore::{Buggify, Chronicle, Explored, Search, explore, scheduled};
pub use explored::{explore_cell, replay_simulated};
pub use gate::{
    Costs, MIN_PAIRS, Regression, attempts_of, baseline, cost_of_attempt, hold_against, joined,
    worst_of_each,
};
pub use holders::hold;
pub use judge::{Facts, contended_slots, judge};
pub use lockproof_model::Broken;
pub use matrix::{Matrix, Observer, cells_of};
pub use merge::{Share, Slices, merge_cells};
pub use order::turns_of;
pub use running::{Glimpse, Running, Seen};
pub use shrink::{Shrunk, digest, shrink, violation};
pub use simulate::{Schedule, simulate};
pub use sweep::{Survey, Varied, beside, live_outcome};
pub use unfinished::{Remains, unfinished};

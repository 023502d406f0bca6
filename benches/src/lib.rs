//! What the benches share: how long to measure, the servers that this machine has, and the world of one case.
//!
//! Rows of one run compare as they stand. Rows of two runs compare only where the machine was as quiet both
//! times: on a busy one the same row moves by a quarter. Holders share one thread, as in the program, and no
//! proxy stands in between: it would cost more than a lock does.
//!
//! **Architecture invariant:** servers start when the first case that needs them is measured, so that a filter on
//! the command line starts no others, and all of them have stopped when the bench ends.

mod servers;
mod source;
mod spread;
mod world;

use std::time::Duration;

use criterion::Criterion;

pub use servers::Servers;
pub use source::Source;
pub use spread::Spread;
pub use world::World;

/// Short, so that all benches together take less than four minutes. The command line may say otherwise.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .without_plots()
        .configure_from_args()
}

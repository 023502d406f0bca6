//! What our proxy costs beside the shortest one that there can be, and beside none.
//!
//! One run starts its own redis-server, and in front of it, each in a process of its own (this program again), a loop
//! that copies bytes, ours without a toxic, and ours with a rule for Redis that reads every request and means none. They
//! take turns, sample by sample: redis-benchmark with 50 connections, and one connection that asks and waits. What is
//! compared is the ratio within a turn.
//!
//! *Added* latency is what a round trip takes longer than without anything in between.

mod arguments;
mod bars;
mod benchmark;
mod child;
mod contestants;
mod round_trip;

use std::process::ExitCode;

use arguments::Arguments;
use bars::Results;
use contestants::Contestants;

use crate::{load, say};

/// Runs what the command line asks for, and says which bars were missed.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::from_command_line();
    if let Some(role) = arguments.role {
        return child::play(role, arguments.upstream);
    }
    let Some(contestants) = Contestants::start() else { return ExitCode::SUCCESS };
    say(&format!("{} turns of {} requests{}", arguments.turns, arguments.requests, load()));
    let mut results = Results::default();
    for turn in 0..arguments.turns {
        contestants.take_turns(turn, &arguments, &mut results);
    }
    results.show();
    let missed = bars::missed(&results, &contestants);
    if missed == 0 {
        return ExitCode::SUCCESS;
    }
    say(&format!("\nbars missed: {missed}"));
    ExitCode::FAILURE
}

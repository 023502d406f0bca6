//! What our locks cost beside other people's, and beside no lock at all.
//!
//! One *pair* is an acquire and a release of a lock that nobody else wants. Contestants of a contest take turns, sample
//! by sample, in one process, on one thread, against the same redis-servers, and what is compared is the ratio within
//! each turn: on a shared machine two runs differ by a quarter, two neighbouring samples do not. Ours records as the
//! workload does; no proxy stands in between.
//!
//! ```text
//!   turn 1:  ours  raw  rslock      a ratio each
//!   turn 2:  raw  rslock  ours      a ratio each      ─▶ median of the ratios, and its 95 % interval ─▶ bar
//!   …
//! ```
//!
//! A bar that is missed ends the bench with exit code 1. Run it on a quiet machine: what one holder's latency consists
//! of is mostly how long a processor at rest takes to wake up.

mod arguments;
mod bars;
mod contest;
mod contestants;
pub mod database;
mod measure;
mod places;
pub mod proxies;
mod servers;

use std::process::ExitCode;

use arguments::Arguments;
use servers::Servers;

/// Runs what the command line asks for, and says which bars were missed.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::from_command_line();
    let Some(servers) = Servers::start() else { return ExitCode::SUCCESS };
    say(&format!("{} turns of {:?}{}", arguments.turns, arguments.sample, load()));
    let mut missed = 0;
    for contest in bars::CONTESTS.iter().filter(|contest| arguments.wants(contest.title)) {
        missed += contest.hold(&servers, &arguments);
    }
    if missed == 0 {
        return ExitCode::SUCCESS;
    }
    say(&format!("\nbars missed: {missed}"));
    ExitCode::FAILURE
}

/// How busy the machine was before we came, where it tells.
fn load() -> String {
    let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    average.split(' ').next().map_or_else(String::new, |load| format!("; load average {load}"))
}

#[expect(clippy::print_stdout, reason = "a bench is for its output")]
fn say(line: &str) {
    println!("{line}");
}

//! How fast our simulated world is, beside other people's.
//!
//! A *schedule* is 20 holders that make 5 bookings each: acquire, begin, check, insert, commit, release. Ours is what
//! `lockproof explore` does with it: the locks, guards and flows that are tried, a Redis and a database with all their
//! rules, links, a history of everything, every checker. The others do the bare requests, six to a booking, which are
//! answered from a map, and nothing else: they are what such a search would be written on.
//!
//! Contestants of a contest take turns, sample by sample, in one process, and what is compared is the ratio within each
//! turn. No servers and no sockets are involved, nobody waits for anything, and all but the contest of threads is one
//! thread's work: bars are of processor time, which strangers disturb least and which is real time on a quiet machine.
//!
//! A bar that is missed ends the bench with exit code 1.

mod arguments;
mod bars;
mod contest;
mod contestants;
mod measure;

use std::process::ExitCode;

use arguments::Arguments;

/// Runs what the command line asks for, and says which bars were missed.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::from_command_line();
    say(&format!("{} turns of {:?}{}", arguments.turns, arguments.sample, load()));
    let mut missed = 0;
    for contest in bars::CONTESTS.iter().filter(|contest| arguments.wants(contest.title)) {
        missed += contest.hold(&arguments);
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

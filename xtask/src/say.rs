use std::fmt::Display;

/// Prints a line of the task's own, between those of the commands that it runs.
#[expect(clippy::print_stdout, reason = "this is what a task prints through")]
pub fn say(line: impl Display) {
    println!("{line}");
}

//! A command that is shown before it is run, and ended when we are.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::timeout;

use super::interrupt::{Interrupted, Interrupts};
use crate::{Failure, say};

/// Time for a command to put its own things away; the test runner gives its tests ten seconds.
const GRACE: Duration = Duration::from_secs(15);

/// A program with its arguments and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    directory: Option<PathBuf>,
}

impl Command {
    pub(super) fn new(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: Vec::new(),
            directory: None,
        }
    }

    pub(super) fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    pub(super) fn in_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The same, for a place where its variables would be in the way.
    pub(super) fn without_environment(mut self) -> Self {
        self.environment.clear();
        self
    }

    /// Shows it, runs it to its end, and says how it ended.
    ///
    /// # Errors
    /// It cannot be started, or somebody wants this to end; then it has ended already.
    pub(super) async fn run(&self, interrupts: &mut Interrupts) -> Result<ExitStatus, Failure> {
        say(format_args!("\n$ {self}"));
        let mut command = tokio::process::Command::new(&self.program);
        let variables = self.environment.iter().map(|(name, value)| (name, value));
        command.args(&self.arguments).envs(variables).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let cannot = |error| format!("cannot run {}: {error}", self.program);
        let mut child = command.spawn().map_err(cannot)?;
        let interrupted = match interrupts.or(child.wait()).await {
            Ok(status) => return unless_interrupted(status?),
            Err(interrupted) => interrupted,
        };
        // From a terminal it has had the same signal, and from elsewhere it has not.
        if interrupted.exit_code != 130 || timeout(GRACE, child.wait()).await.is_err() {
            terminate(&child);
        }
        // After this, dropping it kills it.
        drop(timeout(GRACE, child.wait()).await);
        Err(interrupted.into())
    }
}

/// A signal that was meant for all of us may end the command before we notice it ourselves.
fn unless_interrupted(status: ExitStatus) -> Result<ExitStatus, Failure> {
    match status.signal() {
        Some(2) => Err(Interrupted { exit_code: 130 }.into()),
        Some(15) => Err(Interrupted { exit_code: 143 }.into()),
        _ => Ok(status),
    }
}

fn terminate(child: &Child) {
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(process) = process {
        // An error means that it has gone already, which is what is wanted.
        let _ = kill_process(process, Signal::TERM);
    }
}

/// As one would type it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(argument)))
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted() {
        let command = Command::new("cargo", &["test", "it's"]).env("A", "b c").args(["--", ""]);
        assert_eq!(command.to_string(), r"A='b c' cargo test 'it'\''s' -- ''");
    }

    #[test]
    fn a_command_that_was_interrupted_did_not_fail() {
        let failure = unless_interrupted(ExitStatus::from_raw(15)).unwrap_err();
        assert_eq!(failure.downcast_ref(), Some(&Interrupted { exit_code: 143 }));
        assert!(unless_interrupted(ExitStatus::from_raw(1 << 8)).is_ok());
        assert!(unless_interrupted(ExitStatus::from_raw(11)).is_ok());
    }
}

//! `--provider external`: servers of somebody else.

mod certificate;
mod postgres;
mod redis_server;
mod refusals;
mod theirs;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Place, small, stderr, stdout};

/// What stands for every password here.
const PASSWORD: &str = "s3cret-w0rd";

/// Runs the program with `arguments` and the provider under test.
fn run(place: &Place, arguments: &[&str]) -> Output {
    let mut command = place.lockproof();
    command.args(["run", "--provider", "external", "--show-progress", "none"]);
    command.args(arguments).output().unwrap()
}

/// Both streams, for messages.
fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), stderr(output))
}

/// Asserts that the run could not begin, with `parts` of the reason, and gives everything that was said.
fn unusable(place: &Place, arguments: &[&str], parts: &[&str]) {
    let output = run(place, arguments);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(5), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: no {part:?} in {said}");
    }
    assert!(!said.contains(PASSWORD), "{arguments:?}: {said}");
    assert!(!place.path().join("reports").exists(), "no cell was begun");
}

/// No file below `folder` holds the password.
fn tells_no_password(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tells_no_password(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
            assert!(!found, "{} holds the password", path.display());
        }
    }
}

/// A scenario that would go on for a minute.
fn endless(strategy: &str) -> String {
    small(&format!("[\"{strategy}\"]"), "").replace("bookings = 16", "for = \"60s\"")
}

/// The same scenario with its holders as processes, which are told of the servers over their pipes.
fn as_processes(scenario: &str) -> String {
    scenario.replace("[workload]\n", "[workload]\nholders-as = \"processes\"\n")
}

/// A run that has begun; killed with this at the latest.
struct Begun(Child);

impl Begun {
    fn run(place: &Place, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockproof"));
        command.args(["run", "--provider", "external", "--show-progress", "none"]).args(arguments);
        command.current_dir(place.path()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Its exit code when it ends by itself.
    fn end(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    /// Its exit code after Ctrl-C.
    fn interrupt(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

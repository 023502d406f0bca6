//! The program as a user meets it: exit codes, messages, what it leaves behind.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

#[path = "../../../locks/tests/locks/adapter_packages.rs"]
mod adapter_packages;
mod adapters;
mod answers;
mod checks;
mod compares;
mod damaged;
mod deploy;
mod explores;
mod external;
mod gates;
mod golden;
mod holders;
mod interrupts;
mod killed;
mod links;
mod merges;
#[path = "../../../redis-model/tests/interop/programs.rs"]
mod programs;
mod proxied;
mod python;
mod refusals;
mod runs;
mod services;
mod shop;
mod stopped;
mod sweeps;
mod toxiproxy;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A directory to run the program in, with a way to put scenarios there.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a scenario and gives its path.
    fn scenario(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(format!("{name}.toml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program, in this directory, with nothing of the caller's environment that it would listen to.
    fn lockproof(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockproof"));
        command.current_dir(self.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("LOCKPROOF_") {
                command.env_remove(name);
            }
        }
        command
    }
}

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "cli", name].iter().collect()
}

/// A small scenario under `strategies`, with `rest` appended.
fn small(strategies: &str, rest: &str) -> String {
    format!(
        "schema_version = 1\nstrategies = {strategies}\n[workload]\nholders = 4\nslots = 4\nbookings = 16\nwork = \"5ms\"\n{rest}"
    )
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

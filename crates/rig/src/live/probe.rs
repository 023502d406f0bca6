//! What a machine has of what live servers need.

use std::path::Path;
use std::process::{Command, Stdio};

use super::children::find_program;
use super::postgres;
use super::process_state::thread_states;

/// One thing that a live run may need.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What it is.
    pub what: &'static str,
    /// Its version and place, where it was found.
    pub found: Option<String>,
    /// What needs it.
    pub purpose: &'static str,
    /// How to get it.
    pub remedy: &'static str,
}

/// Looks for everything that a live run may need.
#[must_use]
pub fn probes() -> Vec<Probe> {
    vec![
        Probe {
            what: "redis model, SQLite",
            found: Some("built in".to_owned()),
            purpose: "--provider embedded",
            remedy: "",
        },
        Probe {
            what: "redis-server",
            found: find_program("redis-server", &[]).map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install redis-server",
        },
        Probe {
            what: "postgres",
            found: postgres::program("postgres").ok().map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install postgresql",
        },
        Probe {
            what: "initdb",
            found: postgres::program("initdb").ok().map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install postgresql",
        },
        Probe {
            what: "setpriv",
            found: find_program("setpriv", &[]).map(|path| describe(&path)),
            purpose: "no server or holder outlives a killed run; Postgres when run as root",
            remedy: "apt-get install util-linux",
        },
        Probe {
            what: "process states",
            found: thread_states(std::process::id()).ok().map(|_| "/proc".to_owned()),
            purpose: "pause-holder with holders-as = \"processes\": its proof",
            remedy: "run on Linux, or with tasks",
        },
    ]
}

/// The first line that it says of its version, and where it is.
fn describe(program: &Path) -> String {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text.ok().and_then(|text| text.lines().next().map(ToOwned::to_owned));
    let version = version.unwrap_or_else(|| "version unknown".to_owned());
    format!("{version} ({})", program.display())
}

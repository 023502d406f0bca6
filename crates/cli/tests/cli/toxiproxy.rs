//! `lockproof proxy`, started for a test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The program, serving its API on a port of its own. It is stopped when this is dropped.
pub(crate) struct Proxied {
    pub(crate) child: Child,
    /// Each line that it said of itself.
    said: Vec<String>,
}

impl Proxied {
    /// With these arguments beside the API's address.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
            .args(["proxy", "--api", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines {
            said.push(line.unwrap());
            if said.last().is_some_and(|line| line.starts_with("seed ")) {
                break;
            }
        }
        Self { child, said }
    }

    /// What it said after these words.
    pub(crate) fn said(&self, words: &str) -> &str {
        self.said.iter().find_map(|line| line.strip_prefix(words)).unwrap()
    }

    /// Where its API is: host and port.
    pub(crate) fn api(&self) -> &str {
        self.said("api on http://")
    }

    pub(crate) fn interrupt(&mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

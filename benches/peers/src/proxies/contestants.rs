//! Those who take turns, and the server behind them.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::arguments::{Arguments, Role};
use super::bars::{Results, Sample};
use super::{benchmark, round_trip};
use crate::servers::Servers;

/// Dropping it stops them.
#[derive(Debug)]
pub(super) struct Contestants {
    /// In documentation order; the first is none.
    all: Vec<Contestant>,
    servers: Servers,
}

#[derive(Debug)]
pub(super) struct Contestant {
    /// What stands in between.
    pub(super) role: Option<Role>,
    address: SocketAddr,
    process: Option<Child>,
}

impl Contestants {
    /// `None`, and a line that says so, where there is no redis-server or no redis-benchmark.
    pub(super) fn start() -> Option<Self> {
        if !benchmark::is_here() {
            crate::say("skipped: redis-benchmark was not found");
            return None;
        }
        let servers = Servers::start_anywhere(1)?;
        let redis = servers.addresses(1)[0];
        let mut all = vec![Contestant { role: None, address: redis, process: None }];
        all.extend(
            [Role::Copy, Role::Proxy, Role::Rules].map(|role| Contestant::start(role, redis)),
        );
        Some(Self { all, servers })
    }

    /// Each once with each load; whoever was first is last in the next turn.
    pub(super) fn take_turns(&self, turn: u32, arguments: &Arguments, results: &mut Results) {
        let _timers = self.servers.runtime.enter();
        let from = turn as usize % self.all.len();
        let order = || self.all[from..].iter().chain(&self.all[..from]);
        for contestant in order() {
            let sample = benchmark::run(contestant.address, 1, arguments.requests);
            results.add(contestant.role, Sample::Plain(sample));
        }
        for contestant in order() {
            let sample = benchmark::run(contestant.address, 16, arguments.requests * 4);
            results.add(contestant.role, Sample::Pipelined(sample));
        }
        for contestant in order() {
            let p50_us = round_trip::p50_us(contestant.address);
            results.add(contestant.role, Sample::Alone { p50_us });
        }
    }

    /// Memory that the process has of the machine's, in MB.
    pub(super) fn rss_mb(&self, role: Role) -> Option<f64> {
        let contestant = self.all.iter().find(|contestant| contestant.role == Some(role))?;
        let status = format!("/proc/{}/status", contestant.process.as_ref()?.id());
        let status = std::fs::read_to_string(status).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kb: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kb / 1000.0)
    }
}

impl Contestant {
    fn start(role: Role, upstream: SocketAddr) -> Self {
        let this = std::env::current_exe().expect("this program is a file");
        let word = format!("{role:?}").to_lowercase();
        let mut process = Command::new(this)
            .args(["--role", &word, "--upstream", &upstream.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started once more");
        let mut line = String::new();
        let said = process.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().parse().expect("it says an address");
        Self { role: Some(role), address, process: Some(process) }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            drop(process.stdin.take()); // by which it ends
            drop(process.wait());
        }
    }
}

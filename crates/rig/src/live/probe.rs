//! What a machine has of what live servers need.

use std::borrow::Cow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::children::{Running, find_program, pause, signal};
use super::process_state::thread_states;
use super::{container, coordinator, mariadb, postgres, small_disk};

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
    pub remedy: Cow<'static, str>,
}

/// Looks for everything that a live run may need.
#[must_use]
pub fn probes() -> Vec<Probe> {
    vec![
        Probe {
            what: "redis model, SQLite",
            found: Some("built in".to_owned()),
            purpose: "--provider embedded",
            remedy: "".into(),
        },
        Probe {
            what: "redis-server",
            found: find_program("redis-server", &[]).map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install redis-server".into(),
        },
        Probe {
            what: "etcd",
            found: coordinator::etcd_program().map(|path| describe(&path)),
            purpose: "the lock etcd, --provider process",
            remedy: "apt-get install etcd-server".into(),
        },
        Probe {
            what: "zookeeper",
            found: coordinator::zookeeper_program()
                .map(|(java, classes)| format!("{classes}, by {}", describe(&java))),
            purpose: "the lock zookeeper, --provider process",
            remedy: "apt-get install zookeeper".into(),
        },
        Probe {
            what: "postgres",
            found: postgres::program("postgres").ok().map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install postgresql".into(),
        },
        Probe {
            what: "initdb",
            found: postgres::program("initdb").ok().map(|path| describe(&path)),
            purpose: "--provider process",
            remedy: "apt-get install postgresql".into(),
        },
        Probe {
            what: "mariadbd",
            found: mariadb::program("mariadbd").ok().map(|path| describe(&path)),
            purpose: "--provider process --database mariadb",
            remedy: "apt-get install mariadb-server".into(),
        },
        Probe {
            what: "mariadb-install-db",
            found: mariadb::program("mariadb-install-db")
                .ok()
                .map(|path| format!("with mariadbd ({})", path.display())),
            purpose: "--provider process --database mariadb",
            remedy: "apt-get install mariadb-server".into(),
        },
        Probe {
            what: "setpriv",
            found: find_program("setpriv", &[]).map(|path| describe(&path)),
            purpose: "no server or holder outlives a killed run; Postgres and MariaDB when run as root",
            remedy: "apt-get install util-linux".into(),
        },
        Probe {
            what: "process states",
            found: thread_states(std::process::id()).ok().map(|_| "/proc".to_owned()),
            purpose: "pause-holder with holders-as = \"processes\": its proof",
            remedy: "run on Linux, or with tasks".into(),
        },
        signals(),
        Probe {
            what: "clock shim",
            found: lockproof_clock_shim::is_supported().then(|| "built in".to_owned()),
            purpose: "clock-jump and clock-drift, --provider process",
            remedy: "it is for Linux on 64 bits; elsewhere use --provider embedded or --world sim"
                .into(),
        },
        Probe {
            what: "small tmpfs",
            found: match small_disk::refusal() {
                None => Some("may be mounted".to_owned()),
                Some(_) => None,
            },
            purpose: "disk-full, --provider process",
            remedy: "mounting one takes root: run as root, or in a container with CAP_SYS_ADMIN"
                .into(),
        },
        topologies(),
        engine(),
    ]
}

/// Tried on a process of our own: what may be sent, and whether /proc tells what came of it.
fn signals() -> Probe {
    let tried = || {
        let child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().ok()?;
        let mut child = Running::from(child);
        signal(child.id(), Signal::STOP);
        let stopped = (0..100).any(|_| {
            pause(Duration::from_millis(1));
            thread_states(child.id()).is_ok_and(|states| states.iter().all(|&state| state == 'T'))
        });
        drop(child.kill());
        stopped.then(|| "SIGSTOP is obeyed, and seen in /proc".to_owned())
    };
    Probe {
        what: "signals",
        found: tried(),
        purpose: "pause-server and crash-server, --provider process",
        remedy: "they take a /proc that shows processes".into(),
    }
}

/// redis-server is its own sentinel and its own cluster, from 7.0 on with a port of its choice for the latter.
fn topologies() -> Probe {
    let server = find_program("redis-server", &[]).map(|path| describe(&path));
    let version = server.as_deref().and_then(major_version);
    Probe {
        what: "sentinel, cluster",
        found: version.filter(|&version| version >= 7).map(|_| "in redis-server".to_owned()),
        purpose: "[servers] topology, --provider process",
        remedy: "redis-server from 7.0 on: apt-get install redis-server".into(),
    }
}

/// `Redis server v=7.0.15 sha=…`
fn major_version(text: &str) -> Option<u32> {
    text.split_once("v=")?.1.split('.').next()?.parse().ok()
}

fn engine() -> Probe {
    let (found, why) = match container::look() {
        Ok(version) => (Some(version), String::new()),
        Err(why) => (None, why),
    };
    Probe { what: "container engine", found, purpose: "--provider container", remedy: why.into() }
}

/// The first line that it says of its version, and where it is.
fn describe(program: &Path) -> String {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text.ok().and_then(|text| text.lines().next().map(ToOwned::to_owned));
    let version = version.unwrap_or_else(|| "version unknown".to_owned());
    format!("{version} ({})", program.display())
}

//! A program that is ended while servers stand still leaves none of them, however it is ended.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Place, small};

/// Upper limit that ends a hang, and no more.
const POLLS: u32 = 3000;

/// A load whose servers stand still from its begin on, for longer than it may take.
fn still() -> String {
    let fault = |servers: &str| {
        format!("[[fault]]\nkind = \"pause-server\"\nservers = \"{servers}\"\nfrom = \"0ms\"\n")
    };
    let text = small(r#"["redis-set-nx"]"#, &[fault("redis"), fault("database")].concat());
    text.replace("bookings = 16", "for = \"60s\"")
}

struct Run {
    place: Place,
    child: Child,
}

impl Run {
    /// Starts it, and waits until a redis-server and a Postgres stand still.
    fn start() -> Self {
        let place = Place::new();
        let path = place.scenario("still", &still());
        // Postgres runs as another user, who has to reach its directory.
        std::fs::create_dir(place.path().join("tmp")).unwrap();
        for folder in [place.path().to_owned(), place.path().join("tmp")] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
            .args(["run", "--provider", "process"])
            .arg(path)
            .current_dir(place.path())
            .env("TMPDIR", place.path().join("tmp"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut run = Self { place, child };
        run.until("servers stand still", |run| {
            assert!(run.child.try_wait().unwrap().is_none(), "it ended by itself");
            let stopped = |name: &str| run.processes().iter().any(|pid| is_stopped(*pid, name));
            stopped("redis-server") && stopped("postgres")
        });
        run
    }

    /// Processes that work below its directory, itself among them.
    fn processes(&self) -> Vec<u32> {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let place = std::fs::read_link(format!("/proc/{pid}/cwd"));
            place.is_ok_and(|place| place.starts_with(self.place.path()))
        })
        .collect()
    }

    fn workspaces(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.place.path().join("tmp")).unwrap().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "waits for another process, in no run's time")]
    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        for _ in 0..POLLS {
            if holds(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still not: {what}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether it is a process of that name in state T.
fn is_stopped(pid: u32, name: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((head, rest)) = stat.rsplit_once(") ") else { return false };
    head.ends_with(&format!("({name}")) && rest.starts_with('T')
}

fn are_here(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(debian.map(|entry| entry.path().join("bin"))).collect();
    let here = |program: &&str| {
        folders.iter().any(|folder: &PathBuf| Path::new(folder).join(program).is_file())
    };
    let all = programs.iter().all(here);
    assert!(all || std::env::var("CI").as_deref() != Ok("true"), "one of {programs:?} is missing");
    all
}

mod postgres {
    use super::*;

    #[test]
    fn ctrl_c_lets_servers_go_on_and_leaves_none() {
        if !are_here(&["redis-server", "postgres", "initdb"]) {
            return;
        }
        let mut run = Run::start();
        run.signal(Signal::INT);
        assert_eq!(run.child.wait().unwrap().code(), Some(130));
        run.until("no process is left", |run| run.processes().is_empty());
        assert_eq!(run.workspaces(), Vec::<PathBuf>::new());
        assert!(run.place.path().join("reports/latest/results.json").is_file());
    }

    #[test]
    fn nothing_stands_still_after_a_program_that_was_killed() {
        if !are_here(&["redis-server", "postgres", "initdb"]) {
            return;
        }
        let mut run = Run::start();
        run.signal(Signal::KILL);
        run.child.wait().unwrap();
        run.until("no process is left", |run| run.processes().is_empty());
        // Its directory is swept by the next.
        let path =
            run.place.scenario("small", &small(r#"["none"]"#, "[expect]\nnone = \"duplicates\"\n"));
        let next = run
            .place
            .lockproof()
            .arg("run")
            .arg(path)
            .env("TMPDIR", run.place.path().join("tmp"))
            .output()
            .unwrap();
        assert!(next.status.code().is_some());
        assert_eq!(run.workspaces(), Vec::<PathBuf>::new());
    }
}

//! Holders that are processes, as a user meets them: Ctrl-C, kill -9, and what others can see of them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use crate::{Place, small, stderr, stdout};

/// A load of processes that would go on for a minute, and stands still within moments.
fn endless() -> String {
    let pause =
        "[[fault]]\nkind = \"pause-holder\"\nat = \"after-acquire\"\nevery = 2\nfor = \"1h\"\n";
    let lock = "[lock]\nttl = \"200ms\"\nwait = { tries = 20, delay = \"20ms\" }\n";
    let text = small(r#"["redis-set-nx"]"#, &format!("{lock}{pause}"));
    text.replace("bookings = 16", "holders-as = \"processes\"\nfor = \"60s\"")
}

/// The program at work on that load, in a process group of its own as a shell would put it, ended with the test.
struct Running(Child);

impl Running {
    fn start(place: &Place, scenario: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockproof"));
        command.arg("run").arg(scenario).current_dir(place.path()).process_group(0);
        command.env("LOCKPROOF_DATABASE_URL", "postgres://me:s3cret@127.0.0.1/shop");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(child.spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap()
    }

    /// Its holders, once `enough` of them are in state T.
    fn holders_once_stopped(&mut self, enough: usize) -> Vec<u32> {
        loop {
            let holders = children_of(self.0.id());
            if holders.iter().filter(|holder| state(**holder) == Some('T')).count() >= enough {
                return holders;
            }
            assert!(self.0.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| after_name(*id).is_some_and(|rest| rest.1 == parent)).collect()
}

fn state(process: u32) -> Option<char> {
    after_name(process).map(|(state, _)| state)
}

/// State and parent, which stand after a name in parentheses that may hold anything.
fn after_name(process: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process has ended; whoever inherits it may take its time to look.
fn is_gone(process: u32) -> bool {
    matches!(state(process), None | Some('Z' | 'X'))
}

#[test]
fn ctrl_c_at_the_terminal_is_for_the_program_alone_and_its_report_is_written() {
    let place = Place::new();
    let scenario = place.scenario("endless", &endless());
    let mut running = Running::start(&place, &scenario);
    let holders = running.holders_once_stopped(2);
    assert_eq!(holders.len(), 4);
    // As a terminal does: to everyone in the group.
    kill_process_group(running.pid(), Signal::INT).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(130));
    assert!(holders.iter().all(|holder| is_gone(*holder)), "{holders:?}");
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    assert_eq!(results["manifest"]["interrupted"], true);
    let cell = &results["cells"][0];
    // Had a holder died of it, the first reason would be that.
    assert_eq!(cell["judgement"]["reasons"][0], "interrupted", "{cell}");
    let injections = cell["injections"].as_array().unwrap();
    assert!(injections.len() >= 2);
    for injection in injections {
        assert_eq!(injection["bit"], true, "{injection}");
        let observed = injection["observed"].as_str().unwrap();
        assert!(observed.contains(" after SIGCONT"), "healed for real: {observed}");
    }
}

#[test]
fn no_holder_outlives_a_killed_program_not_even_one_that_stands_still() {
    let place = Place::new();
    let scenario = place.scenario("endless", &endless());
    let mut running = Running::start(&place, &scenario);
    let holders = running.holders_once_stopped(2);
    assert_eq!(holders.len(), 4);
    kill_process(running.pid(), Signal::KILL).unwrap();
    running.0.wait().unwrap();
    while !holders.iter().all(|holder| is_gone(*holder)) {
        std::thread::yield_now();
    }
}

#[test]
fn what_the_program_was_told_in_secret_is_seen_on_none_of_its_holders() {
    let place = Place::new();
    let scenario = place.scenario("endless", &endless());
    let mut running = Running::start(&place, &scenario);
    let told = |process: u32, file: &str| {
        let bytes = std::fs::read(PathBuf::from(format!("/proc/{process}/{file}"))).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    for holder in running.holders_once_stopped(2) {
        let line = told(holder, "cmdline");
        assert!(line.ends_with("lockproof\0holder\0"), "{line:?}");
        let environment = told(holder, "environ");
        assert!(!environment.contains("s3cret") && !environment.contains("LOCKPROOF_DATABASE_URL"));
        assert!(environment.contains("PATH="), "the rest is there: {environment:?}");
    }
    assert!(told(running.0.id(), "environ").contains("s3cret"), "it was told");
}

#[test]
fn nobody_starts_a_holder_by_hand() {
    let place = Place::new();
    let output = place.lockproof().arg("holder").write_stdin("hello").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the run is not understood"), "{}", stderr(&output));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockproof"));
    let output = command.arg("holder").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there is nothing for people here"), "{}", stderr(&output));
    let output = place.lockproof().arg("--help").output().unwrap();
    assert!(!stdout(&output).contains("  holder"), "{}", stdout(&output));
}

#[test]
fn a_scenario_of_processes_sells_twice_where_one_of_tasks_does_and_says_who_was_stopped() {
    let place = Place::new();
    let pause = "[[fault]]\nkind = \"pause-holder\"\nat = \"after-check\"\nnth = 1\nuntil-event = \"another-commit\"\nfor = \"20s\"\n";
    let lock = "[lock]\nttl = \"200ms\"\nwait = { tries = 1000, delay = \"10ms\" }\n";
    let expect = "[expect]\nredis-set-nx = \"duplicates\"\n";
    let text = small(r#"["redis-set-nx"]"#, &format!("{lock}{pause}{expect}"));
    let text = text.replace("holders = 4", "holders = \"processes\"");
    let path = place.scenario("processes", &text);
    let output = place.lockproof().args(["run", "--format", "json"]).arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let observed = report["cells"][0]["injections"][0]["observed"].as_str().unwrap();
    assert!(observed.contains("process ") && observed.contains("in state T ("), "{observed}");
    let kept = place.path().join("reports/latest/scenarios/processes.toml");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(kept.contains("holders = 8\nholders-as = \"processes\"\n"), "{kept}");
}

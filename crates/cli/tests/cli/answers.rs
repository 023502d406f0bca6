//! The commands that only answer.

use crate::{Place, stderr, stdout};

#[test]
fn every_catalog_can_be_listed() {
    let place = Place::new();
    for (catalog, part) in [
        ("locks", "redlock"),
        ("guards", "fencing-write-only"),
        ("strategies", "redlock+version"),
        ("faults", "pause-holder"),
        ("toxics", "reset_peer"),
        ("checkers", "mutual-exclusion"),
        ("flows", "lock-and-book"),
        ("providers", "embedded"),
    ] {
        let output = place.lockproof().args(["list", catalog]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains(part), "{catalog}: {}", stdout(&output));
    }
}

#[test]
fn a_new_scenario_runs_as_it_says_and_is_not_written_twice() {
    let place = Place::new();
    let new = |name: &str| place.lockproof().args(["new", name]).output().unwrap();
    assert_eq!(new("mine").status.code(), Some(0));
    let run = place.lockproof().args(["run", "scenarios/mine.toml"]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}{}", stdout(&run), stderr(&run));
    assert_eq!(new("mine").status.code(), Some(2), "it would overwrite");
    assert_eq!(new("No Name").status.code(), Some(2));
}

#[test]
fn the_doctor_names_what_is_missing_and_how_to_get_it() {
    let place = Place::new();
    let output = place.lockproof().arg("doctor").env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("apt-get install redis-server"), "{}", stdout(&output));
}

#[test]
fn the_redis_model_answers_clients_until_it_is_interrupted() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
        .args(["redis-model", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(b"SET slot owner NX PX 60000\r\nSET slot other NX PX 60000\r\n").unwrap();
    let mut answer = [0; 10];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n$-1\r\n");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn help_and_version_are_answers_and_a_wrong_flag_is_not() {
    let place = Place::new();
    for (flag, code) in [("--help", 0), ("--version", 0), ("--bogus", 2)] {
        let output = place.lockproof().arg(flag).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{flag}");
    }
}

//! Ctrl-C: the report is written, and the program says that it was interrupted.

use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Place, small};

/// A load that would go on for a minute, with every holder standing still half the time.
fn endless() -> String {
    let text = small(
        r#"["redis-set-nx"]"#,
        "[lock]\nttl = \"200ms\"\n[[fault]]\nkind = \"pause-holder\"\nat = \"after-acquire\"\nevery = 2\nfor = \"20s\"\n",
    );
    text.replace("bookings = 16", "for = \"60s\"")
}

#[test]
fn an_interrupted_run_still_writes_its_report_and_exits_130() {
    let place = Place::new();
    let path = place.scenario("endless", &endless());
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
        .arg("run")
        .arg(path)
        .current_dir(place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The scenario is kept just before the first cell begins; from then on there is something to interrupt.
    while !has_scenario(&place) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    assert_eq!(results["manifest"]["interrupted"], true);
}

fn has_scenario(place: &Place) -> bool {
    let Ok(mut runs) = std::fs::read_dir(place.path().join("reports")) else { return false };
    runs.any(|run| run.is_ok_and(|run| run.path().join("scenarios/endless.toml").exists()))
}

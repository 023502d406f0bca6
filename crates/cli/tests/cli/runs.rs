//! `lockproof run` and its verdicts.

use serde_json::Value;

use crate::{Place, small, stdout};

#[test]
fn a_control_that_sells_twice_and_a_guard_that_does_not_are_both_as_expected() {
    let place = Place::new();
    let text = small(r#"["none", "row-lock"]"#, "[expect]\nnone = \"duplicates\"\n");
    let path = place.scenario("control", &text);
    let output = place.lockproof().arg("run").arg(path).output().unwrap();
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("as expected") && shown.contains("sold 4 times under none"), "{shown}");
    assert!(shown.contains("again:  lockproof run"), "the command that repeats it is printed");
}

#[test]
fn a_strategy_expected_to_be_safe_that_sells_twice_exits_1() {
    let place = Place::new();
    let path = place.scenario("unsafe", &small(r#"["none"]"#, ""));
    let output = place.lockproof().arg("run").arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("none expected"), "{}", stdout(&output));
}

#[test]
fn a_control_that_no_longer_fails_exits_1() {
    let place = Place::new();
    let text = small(r#"["row-lock"]"#, "[expect]\nrow-lock = \"duplicates\"\n");
    let path = place.scenario("blunt", &text);
    let output = place.lockproof().arg("run").arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("detector"), "{}", stdout(&output));
}

#[test]
fn a_fault_that_never_bites_makes_the_run_inconclusive() {
    let place = Place::new();
    let fault =
        "[[fault]]\nkind = \"pause-holder\"\nat = \"after-check\"\nnth = 999\nfor = \"1s\"\n";
    let path = place.scenario("toothless", &small(r#"["row-lock"]"#, fault));
    let output = place.lockproof().arg("run").arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("bit 0 of 0"), "{}", stdout(&output));
}

#[test]
fn a_missing_server_exits_5_and_says_how_to_get_it() {
    let place = Place::new();
    let path = place.scenario("remote", &small(r#"["redis-set-nx"]"#, ""));
    let mut command = place.lockproof();
    let command = command.args(["run", "--provider", "process"]).arg(path).env("PATH", "");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(stdout(&output).contains("apt-get install redis-server"), "{}", stdout(&output));
}

#[test]
fn a_report_directory_holds_what_the_results_were_made_of() {
    let place = Place::new();
    let path = place.scenario("kept", &small(r#"["redis-set-nx"]"#, ""));
    let mut command = place.lockproof();
    let output =
        command.args(["run", "--format", "json", "--seed", "0x5eed"]).arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["manifest"]["seed"], 0x5eed);
    let latest = place.path().join("reports/latest");
    let kept: Value =
        serde_json::from_slice(&std::fs::read(latest.join("results.json")).unwrap()).unwrap();
    assert_eq!(kept, shown, "what is shown is what is kept");
    for file in [
        "manifest.json",
        "faults.ndjson",
        "scenarios/kept.toml",
        "hist/kept.redis-set-nx.hlog",
        "histories/kept.redis-set-nx.ndjson.zst",
    ] {
        assert!(latest.join(file).is_file(), "{file} is missing");
    }
}

#[test]
fn a_report_that_cannot_be_kept_is_said_so_before_anything_starts() {
    let place = Place::new();
    let path = place.scenario("homeless", &small(r#"["none"]"#, ""));
    std::fs::write(place.path().join("occupied"), "a file").unwrap();
    let mut command = place.lockproof();
    let output = command.args(["run", "--out", "occupied"]).arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(crate::stderr(&output).contains("occupied"), "{}", crate::stderr(&output));
}

//! `gate` as a user meets it: one report, one exit code, and what a baseline changes.

use std::process::Output;

use serde_json::Value;

use crate::{Place, small, stderr, stdout};

const PAUSED: &str = "[lock]
ttl = \"100ms\"
wait = { tries = 20, delay = \"10ms\", jitter = \"5ms\" }
[[fault]]
kind = \"pause-holder\"
at = \"after-check\"
every = 2
until-event = \"another-commit\"
for = \"300ms\"
";

/// A guard that is broken: what is expected to be safe has none.
const BROKEN: &str = "[expect]\nredis-set-nx = \"no-duplicates\"\n";

fn gate(place: &Place, arguments: &[&str]) -> Output {
    let fixed = ["gate", "s.toml", "--seeds", "20", "--show-progress", "none"];
    place.lockproof().args(fixed).args(arguments).output().unwrap()
}

fn paused(expect: &str) -> String {
    small(r#"["redis-set-nx"]"#, &format!("{PAUSED}{expect}"))
}

fn calm() -> Place {
    let place = Place::new();
    place.scenario("s", &small(r#"["unique", "row-lock"]"#, ""));
    place
}

fn results(place: &Place) -> Value {
    let text = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The text, however its lines were broken.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_search_and_a_run_come_to_one_report_with_one_cell_for_each_strategy() {
    let place = calm();
    let output = gate(&place, &["--seed", "7"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(shown.contains("1 scenario, 2 cells: 2 as expected"), "{shown}");
    assert!(shown.contains("schedules") && shown.contains("acquire p50"), "{shown}");
    assert!(shown.contains("again:  lockproof gate s.toml --seeds 20 --seed 0x7"), "{shown}");
    let report = results(&place);
    assert_eq!(report["manifest"]["world"], "live");
    for cell in report["cells"].as_array().unwrap() {
        assert_eq!(cell["exploration"]["schedules"], 20);
        assert_eq!(cell["exploration"]["beside_live"], true);
        assert!(!cell["servers"][0]["kind"].as_str().unwrap().contains("simulated"));
    }
}

#[test]
fn a_broken_guard_fails_and_scenario_strategy_and_replay_are_named() {
    let place = Place::new();
    place.scenario("s", &paused(BROKEN));
    let output = gate(&place, &["--seed", "7"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let shown = stdout(&output);
    for said in ["redis-set-nx: searched: schedule", "redis-set-nx: live:", "1 failed"] {
        assert!(flat(&shown).contains(said), "{said} in {shown}");
    }
    let report = results(&place);
    let path = report["cells"][0]["exploration"]["violation"]["path"].as_str().unwrap();
    assert!(shown.contains(&format!("replay: lockproof replay {path}")), "{shown}");
    let again = place.lockproof().args(["replay", path]).output().unwrap();
    assert!(stdout(&again).contains("byte for byte"), "{}", stdout(&again));
}

#[test]
fn what_one_world_cannot_do_is_left_to_the_other_aloud() {
    let place = Place::new();
    let only = "only = \"sim\"\nbecause = \"it takes a day\"\nstrategies";
    place.scenario("s", &small(r#"["unique"]"#, "").replacen("strategies", only, 1));
    let output = gate(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("not run live: s.toml: it is for the simulated world"));
    assert_eq!(results(&place)["manifest"]["world"], "sim");
    place.scenario("s", &small(r#"["row-lock-nowait", "unique"]"#, ""));
    let output = gate(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("not run live: s.toml: "), "{}", stderr(&output));
    assert!(stdout(&output).contains("2 cells: 2 as expected"), "{}", stdout(&output));
}

#[test]
fn an_expectation_that_was_loosened_does_not_excuse_what_held_in_the_baseline() {
    let place = Place::new();
    place.scenario("s", &small(r#"["redis-set-nx"]"#, "[lock]\nttl = \"1s\"\n"));
    let output = gate(&place, &["--save-baseline", "kept"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("kept as a baseline: kept/baseline.json"));
    place.scenario("s", &paused("[expect]\nredis-set-nx = \"duplicates\"\n"));
    assert_eq!(gate(&place, &[]).status.code(), Some(0), "a control may be broken");
    let output = gate(&place, &["--baseline", "kept"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let shown = flat(&stdout(&output));
    assert!(shown.contains("searched: duplicate-booking is new"), "{shown}");
    assert!(shown.contains("what [expect] says does not excuse it"), "{shown}");
}

#[test]
fn a_gate_that_does_not_hold_is_kept_as_no_baseline() {
    let place = Place::new();
    place.scenario("s", &paused(BROKEN));
    let output = gate(&place, &["--save-baseline", "kept"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no baseline was kept"), "{}", stderr(&output));
    assert!(!place.path().join("kept").exists());
}

#[test]
fn a_baseline_that_is_not_there_or_is_none_is_refused_before_anything_starts() {
    let place = calm();
    let kept = place.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    for (text, said) in [
        (None, "there is no baseline in kept"),
        (Some("{\"schema_version\": 1, \"cells\": ["), "kept/baseline.json is no baseline: EOF"),
        (Some("[]"), "kept/baseline.json is no baseline"),
        (Some("{\"schema_version\": 1}"), "missing field `version`"),
        (Some("{\"schema_version\": 99}"), "has schema_version 99, and this program reads 1"),
    ] {
        if let Some(text) = text {
            std::fs::write(kept.join("baseline.json"), text).unwrap();
        }
        let output = gate(&place, &["--baseline", "kept"]);
        assert_eq!(output.status.code(), Some(2), "{text:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(!place.path().join("reports").exists(), "nothing was started");
    }
}

#[test]
fn a_limit_of_cost_needs_a_baseline_and_is_in_per_cent() {
    let place = calm();
    let output = gate(&place, &["--max-regression", "20%"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--baseline"), "{}", stderr(&output));
    let output = gate(&place, &["--baseline", "kept", "--max-regression", "0.2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("write it in per cent: 20%"), "{}", stderr(&output));
}

#[test]
fn a_cell_that_costs_more_than_is_allowed_is_exit_code_4_and_too_few_attempts_tell_nothing() {
    let place = calm();
    let output = gate(&place, &["--attempts", "5", "--save-baseline", "kept"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let file = place.path().join("kept/baseline.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let costs = kept["cells"][0]["costs"].as_array_mut().unwrap();
    assert_eq!(costs.len(), 5);
    for cost in costs {
        let pace = cost["bookings_per_s"].as_f64().unwrap();
        cost["bookings_per_s"] = (pace * 1000.0).into();
    }
    std::fs::write(&file, kept.to_string()).unwrap();
    let limit = ["--baseline", "kept", "--max-regression", "200%"];
    let output = gate(&place, &limit);
    assert_eq!(output.status.code(), Some(4), "{}\n{}", stdout(&output), stderr(&output));
    let shown = flat(&stdout(&output));
    assert!(shown.contains("unique: the time for a booking is"), "{shown}");
    assert!(shown.contains("of 5 pairs), and 3.00 times are allowed"), "{shown}");
    assert!(shown.contains("1 slower than the baseline"), "{shown}");
    let output = gate(&place, &[&limit[..], &["--attempts", "2"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("of 2 cells it cannot be told whether they cost more"), "{said}");
}

#[test]
fn costs_of_another_machine_are_no_measure() {
    let place = calm();
    assert_eq!(gate(&place, &["--save-baseline", "kept"]).status.code(), Some(0));
    let file = place.path().join("kept/baseline.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    kept["machine"] = "an abacus".into();
    std::fs::write(&file, kept.to_string()).unwrap();
    let limit = ["--baseline", "kept", "--max-regression", "20%", "--attempts", "1"];
    let output = gate(&place, &limit);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("on an abacus"), "{}", stderr(&output));
}

//! `compare` as a user meets it, over a folder of two scenarios.

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
[expect]
redis-set-nx = \"duplicates\"
redis-naive-del = \"duplicates\"
";

fn folder() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path().join("scenarios")).unwrap();
    let strategies = r#"["redis-set-nx", "redis-set-nx+fencing", "redis-naive-del"]"#;
    let paused = small(strategies, PAUSED);
    let paused = paused.replace("schema_version = 1", "schema_version = 1\ncatalog = [\"F01\"]");
    place.scenario("scenarios/paused", &paused);
    place.scenario("scenarios/calm", &small(r#"["redis-set-nx", "unique"]"#, ""));
    place
}

fn compare(place: &Place, arguments: &[&str]) -> Output {
    let fixed = ["compare", "--seed", "7", "--seeds", "20", "--show-progress", "none"];
    place.lockproof().args(fixed).args(arguments).output().unwrap()
}

fn names(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|of| of["strategy"].as_str().unwrap()).collect()
}

#[test]
fn what_is_broken_comes_last_controls_are_left_out_and_cost_is_measured() {
    let output = compare(&folder(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ranked = names(&comparison["ranked"]);
    assert_eq!(ranked.len(), 3, "{ranked:?}");
    assert_eq!(ranked[2], "redis-set-nx");
    assert_eq!(comparison["modes"], serde_json::json!(["F01", "calm"]));
    let last = &comparison["ranked"][2];
    assert_eq!(last["tried"][0]["stand"], "broken");
    assert_eq!(last["tried"][1]["stand"], "held");
    for of in comparison["ranked"].as_array().unwrap() {
        assert!(of["cost"]["measured"]["p99_us"].as_f64().unwrap() > 0.0, "{of}");
        assert!(of["cost"]["measured"]["bookings_per_s"].as_f64().unwrap() > 0.0, "{of}");
    }
}

#[test]
fn a_requirement_leaves_out_what_is_broken_and_what_was_never_tried() {
    let output = compare(&folder(), &["--no-cost", "--require", "F01"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = stdout(&output);
    for said in [
        "1. redis-set-nx+fencing",
        "redis-set-nx is broken by F01 (a process pauses past its TTL) in paused",
        "unique was never tried under F01 (a process pauses past its TTL)",
        "repeat: lockproof compare scenarios --require F01 --seeds 20 --no-cost --seed 0x7",
    ] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
}

#[test]
fn nobody_is_what_was_asked_for_and_that_is_said() {
    let output = compare(&folder(), &["--no-cost", "--require", "F28", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("No strategy here is what was asked for."));
    assert!(stderr(&output).contains("no strategy here is what --require"), "{}", stderr(&output));
}

#[test]
fn a_control_is_compared_when_it_is_named() {
    let named = ["--no-cost", "--strategy", "redis-naive-del", "--format", "json"];
    let output = compare(&folder(), &named);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(names(&comparison["ranked"]), ["redis-naive-del"]);
}

#[test]
fn what_is_no_mode_no_time_and_no_provider_is_refused() {
    for (arguments, said) in [
        (["--require", "F1"], "did you mean `F01`?"),
        (["--require", "pauses"], "they are F01 to F66"),
        (["--max-p99", "5"], "is no duration"),
        (["--provider", "embeded"], "did you mean `embedded`?"),
    ] {
        let output = compare(&folder(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

//! `sweep` as a user meets it: an envelope that follows from the scenario's arithmetic, the same for a seed.

use std::process::Output;

use serde_json::Value;

use crate::{Place, small, stderr, stdout};

const PAUSED: &str = "[lock]
ttl = \"300ms\"
wait = { tries = 60, delay = \"10ms\", jitter = \"5ms\" }
[[fault]]
kind = \"pause-holder\"
at = \"before-insert\"
every = 2
for = \"500ms\"
";

fn place() -> Place {
    let place = Place::new();
    place.scenario("s", &small(r#"["redis-set-nx", "redis-set-nx+fencing"]"#, PAUSED));
    place
}

fn sweep(place: &Place, arguments: &[&str]) -> Output {
    let fixed = ["sweep", "s.toml", "--seed", "7", "--seeds", "8", "--show-progress", "none"];
    place.lockproof().args(fixed).args(arguments).output().unwrap()
}

#[test]
fn the_envelope_is_told_drawn_and_kept_and_the_same_for_a_seed() {
    let place = place();
    let output = sweep(&place, &["--vary", "fault.for=0ms..1s"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!("sweep", stdout(&output));
    let kept = place.path().join("reports/latest");
    let drawing = std::fs::read_to_string(kept.join("sweep.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("class=\"survived\""), "{drawing}");
    let json = std::fs::read_to_string(kept.join("sweep.json")).unwrap();
    let again = sweep(&place, &["--vary", "fault.for=0ms..1s", "--format", "json", "--jobs", "3"]);
    assert_eq!(stdout(&again), json, "threads change nothing");
}

#[test]
fn a_second_field_gives_an_envelope_for_each_of_its_values() {
    let vary = ["--vary", "fault.for=0ms..500ms/5ms", "--vary", "lock.ttl=100ms..300ms/100ms"];
    let named = ["--strategy", "redis-set-nx", "--format", "json"];
    let output = sweep(&place(), &[vary, named].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let envelopes = found["envelopes"].as_array().unwrap();
    let survived = envelopes.iter().map(|envelope| {
        let nanos = &envelope["shape"]["up-to"]["survives"]["nanoseconds"];
        nanos.as_u64().unwrap() / 1_000_000
    });
    let survived: Vec<_> = survived.collect();
    assert_eq!(survived.len(), 3);
    assert!(survived.is_sorted() && survived[2] - survived[0] >= 150, "{survived:?}");
    assert_eq!(found["under"], serde_json::json!(["5 ms work"]));
}

#[test]
fn the_values_beside_a_boundary_run_live_on_request() {
    let arguments = ["--vary", "fault.for=0ms..1s/500ms", "--confirm-live", "--format", "json"];
    let output = sweep(&place(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let live = found["envelopes"][0]["live"].as_array().unwrap();
    assert_eq!(live.len(), 2, "{live:?}");
    // Half a second beyond its lease on either side, so that no machine's pace matters.
    assert!(live[1]["outcome"]["broke"].as_u64().unwrap() > 0, "{live:?}");
    assert_eq!(found["envelopes"][1]["live"], serde_json::json!([]), "it has no boundary");
}

#[test]
fn what_cannot_be_varied_is_refused_with_what_can() {
    for (vary, said) in [
        ("fault.fro=0ms..1s", "did you mean `fault.1.for`?"),
        ("fault.for=1s..1s", "ends where it begins"),
        ("fault.for=0..3", "is not a duration"),
        ("fault.for=0ms..1s/2s", "does not fit into"),
        ("fault.at=0ms..1s", "is neither a number nor a duration"),
        ("fault.for", "write fault.for=0ms..2s"),
        ("lock.ttl=0ms..1s", "s.toml:9:7: a TTL is a whole number of milliseconds"),
    ] {
        let place = place();
        let output = sweep(&place, &["--vary", vary]);
        assert_eq!(output.status.code(), Some(2), "{vary}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{said} in {}", stderr(&output));
        assert!(!place.path().join("reports").exists(), "nothing was started");
    }
    let twice = ["--vary", "fault.for=0ms..1s", "--vary", "fault.1.for=0ms..2s"];
    let output = sweep(&place(), &twice);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is varied twice"), "{}", stderr(&output));
}

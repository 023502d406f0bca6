//! `explore` and `replay` as a user meets them.

use std::path::{Path, PathBuf};
use std::process::Output;

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

fn paused(strategies: &str, expect: &str) -> String {
    small(strategies, &format!("{PAUSED}[expect]\n{expect}"))
}

fn explore(place: &Place, arguments: &[&str]) -> Output {
    let fixed = ["explore", "s.toml", "--seed", "7", "--seeds", "50", "--show-progress", "none"];
    place.lockproof().args(fixed).args(arguments).output().unwrap()
}

/// The one replay that a search has left.
fn replay_of(place: &Place) -> PathBuf {
    let folder = place.path().join("reports/latest/replays");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ending = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let replays: Vec<_> = files.filter(ending).collect();
    let [replay] = replays.as_slice() else { panic!("one replay: {replays:?}") };
    replay.clone()
}

fn found() -> (Place, PathBuf) {
    let place = Place::new();
    place.scenario("s", &paused(r#"["redis-set-nx"]"#, "redis-set-nx = \"duplicates\"\n"));
    let output = explore(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let replay = replay_of(&place);
    (place, replay)
}

fn replay(place: &Place, file: &Path, arguments: &[&str]) -> Output {
    place.lockproof().arg("replay").arg(file).args(arguments).output().unwrap()
}

#[test]
fn what_breaks_is_told_step_by_step_drawn_and_made_small() {
    let (place, file) = found();
    let text = std::fs::read_to_string(&file).unwrap();
    for part in ["holders = 2\n", "slots = 1\n", "bookings = 2\n", "[replay]"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(text.matches("[[fault]]").count(), 1, "{text}");
    let drawing = std::fs::read_to_string(file.with_extension("svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("class=\"lease\""), "{drawing}");
    let shown = stdout(&explore(&place, &[]));
    assert!(shown.contains("slot 1 sold twice") && shown.contains("lease ended"), "{shown}");
    assert!(shown.contains("replay: lockproof replay reports/"), "{shown}");
}

#[test]
fn a_replay_is_the_same_byte_for_byte_and_reproduces_live() {
    let (place, file) = found();
    let again = replay(&place, &file, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(stdout(&again).contains("the same history, byte for byte"), "{}", stdout(&again));
    let live = replay(&place, &file, &["--world", "live"]);
    assert_eq!(live.status.code(), Some(0), "{}\n{}", stdout(&live), stderr(&live));
    assert!(stdout(&live).contains("reproduced live"), "{}", stdout(&live));
}

#[test]
fn a_replay_that_was_edited_says_that_it_is_not_the_same() {
    let (place, file) = found();
    let text = std::fs::read_to_string(&file).unwrap();
    let edited = text.replace("ttl = \"100ms\"", "ttl = \"90ms\"");
    assert_ne!(edited, text);
    std::fs::write(&file, edited).unwrap();
    let output = replay(&place, &file, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains("not the same"), "{}", stdout(&output));
}

#[test]
fn a_replay_over_the_wire_keeps_its_driver_and_is_the_same_byte_for_byte() {
    let place = Place::new();
    place.scenario("s", &paused(r#"["redis-set-nx"]"#, "redis-set-nx = \"duplicates\"\n"));
    let output = explore(&place, &["--wire"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains(" --wire"), "{}", stdout(&output));
    let file = replay_of(&place);
    let again = replay(&place, &file, &[]);
    assert!(stdout(&again).contains("the same history, byte for byte"), "{}", stdout(&again));
}

#[test]
fn the_wire_is_refused_where_there_is_a_real_one() {
    let place = Place::new();
    place.scenario("s", &small(r#"["none"]"#, ""));
    let output = place.lockproof().args(["run", "--wire", "s.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("--wire is for the simulated world"), "{said}");
}

#[test]
fn a_scenario_that_is_no_replay_is_refused_as_one() {
    let place = Place::new();
    let file = place.scenario("s", &small(r#"["none"]"#, ""));
    let output = replay(&place, &file, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`lockproof explore` saves replays"), "{}", stderr(&output));
}

#[test]
fn a_safe_strategy_that_is_broken_and_a_control_that_is_not_fail_the_search() {
    let place = Place::new();
    place.scenario("s", &paused(r#"["redis-set-nx"]"#, "redis-set-nx = \"no-duplicates\"\n"));
    let broken = explore(&place, &[]);
    assert_eq!(broken.status.code(), Some(1), "{}", stdout(&broken));
    place.scenario("s", &paused(r#"["row-lock"]"#, "row-lock = \"duplicates\"\n"));
    let held = explore(&place, &[]);
    assert_eq!(held.status.code(), Some(1), "{}", stdout(&held));
    // However the line was broken.
    let shown = stdout(&held).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("the detector or the model is wrong"), "{shown}");
}

#[test]
fn the_same_seed_is_the_same_search_in_every_process_and_with_any_number_of_threads() {
    let place = Place::new();
    place.scenario(
        "s",
        &paused(r#"["redlock", "redis-set-nx+version"]"#, "redlock = \"duplicates\"\n"),
    );
    let search = |jobs: &str| {
        let output = explore(&place, &["--buggify", "--jobs", jobs, "--format", "json"]);
        let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let cells = report["cells"].take();
        let figures = |cell: &serde_json::Value| {
            let exploration = &cell["exploration"];
            let names = ["schedules", "distinct", "bit", "bit_held", "virtual_time_ns"];
            let figures = names.map(|name| exploration[name].clone());
            let violation = &exploration["violation"];
            (figures, violation["replay"].clone(), violation["history"].clone())
        };
        cells.as_array().unwrap().iter().map(figures).collect::<Vec<_>>()
    };
    let first = search("1");
    assert_eq!(first.len(), 2);
    assert_eq!(search("1"), first);
    assert_eq!(search("3"), first);
}

#[test]
fn a_scenario_of_the_other_world_is_skipped_aloud_among_others() {
    let place = Place::new();
    let only = "only = \"sim\"\nbecause = \"it takes a day\"\n";
    place.scenario("a", &small(r#"["row-lock"]"#, ""));
    let text = small(r#"["row-lock"]"#, "").replacen("strategies", &format!("{only}strategies"), 1);
    place.scenario("b", &text);
    let output = place.lockproof().args(["run", "a.toml", "b.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("skipped b.toml: it is for the simulated world alone"));
    let both = ["run", "--world", "sim", "a.toml", "b.toml"];
    let output = place.lockproof().args(both).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("2 scenarios, 2 cells"), "{}", stdout(&output));
}

#[test]
fn strategies_that_are_live_only_are_skipped_aloud_and_alone_refused() {
    let place = Place::new();
    place.scenario("s", &small(r#"["etcd", "redis-set-nx"]"#, "[lock]\nttl = \"1s\"\n"));
    let output = explore(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("skipped s.toml: etcd is live only"), "{said}");
    assert!(!stdout(&output).contains("etcd"), "{}", stdout(&output));
    place.scenario("s", &small(r#"["etcd"]"#, "[lock]\nttl = \"1s\"\n"));
    let output = explore(&place, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output)
            .contains("there is no model of its coordination service; use lockproof run")
    );
}

#[test]
fn a_strategy_for_real_sockets_alone_is_skipped_aloud_and_by_itself_refused() {
    let place = Place::new();
    let both = paused(
        r#"["redis-set-nx", "redis-set-nx@fred"]"#,
        "redis-set-nx = \"duplicates\"\n\"redis-set-nx@fred\" = \"duplicates\"\n",
    );
    place.scenario("s", &both);
    let output = explore(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let why = "redis-set-nx@fred is live only: fred dials by itself";
    assert!(stderr(&output).contains(&format!("skipped s.toml: {why}")), "{}", stderr(&output));
    assert!(!stdout(&output).contains("@fred  "), "{}", stdout(&output));
    let alone = explore(&place, &["--strategy", "redis-set-nx@fred"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(stderr(&alone).contains(why) && stderr(&alone).contains("use lockproof run"));
}

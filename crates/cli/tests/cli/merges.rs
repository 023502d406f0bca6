//! `--partition` and `report`: what n machines find is what one would have found.

use std::path::Path;
use std::process::Output;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::Value;

use crate::{Place, small, stderr, stdout};

const SLICES: u32 = 3;

/// Two scenarios of three strategies: one is broken at once, one rarely, one never.
fn scenarios(place: &Place) {
    let fault = |every: u32| {
        format!(
            "[lock]\nttl = \"100ms\"\nwait = {{ tries = 20, delay = \"10ms\", jitter = \"5ms\" }}\n[[fault]]\nkind = \"pause-holder\"\nat = \"after-check\"\nprobability = {}\nuntil-event = \"another-commit\"\nfor = \"300ms\"\n[expect]\nnone = \"duplicates\"\nredis-set-nx = \"duplicates\"\n[require]\nbookings = 1\n",
            1.0 / f64::from(every)
        )
    };
    let strategies = r#"["redis-set-nx", "none", "row-lock"]"#;
    place.scenario("often", &small(strategies, &fault(2)));
    place.scenario("rarely", &small(strategies, &fault(100)));
}

fn lockproof(place: &Place, arguments: &[&str]) -> Output {
    place.lockproof().args(arguments).output().unwrap()
}

/// The command as a whole and as slices, each a process of its own; the directories of the latter.
fn whole_and_slices(place: &Place, command: &[&str]) -> Vec<String> {
    scenarios(place);
    let fixed = ["often.toml", "rarely.toml", "--seed", "7", "--show-progress", "none", "--out"];
    let whole = lockproof(place, &[command, &fixed, &["whole"]].concat());
    assert!(whole.status.code().is_some_and(|code| code < 4), "{}", stderr(&whole));
    let slice = |number: u32| {
        let (out, slice) = (format!("slice-{number}"), format!("slice:{number}/{SLICES}"));
        let own = [out.as_str(), "--partition", slice.as_str()];
        let ran = lockproof(place, &[command, &fixed, &own].concat());
        assert!(ran.status.code().is_some_and(|code| code < 4), "{}", stderr(&ran));
        format!("{out}/latest")
    };
    (1..=SLICES).map(slice).collect()
}

fn report(place: &Place, directories: &[String], rest: &[&str]) -> Output {
    let directories = directories.iter().map(String::as_str).collect::<Vec<_>>();
    lockproof(place, &[&["report"], directories.as_slice(), rest].concat())
}

/// The cells, without what differs from run to run: real time, and where replays lie.
fn cells(json: &[u8]) -> Vec<Value> {
    let mut report: Value = serde_json::from_slice(json).unwrap();
    let cells = report["cells"].as_array_mut().unwrap();
    for cell in cells.iter_mut() {
        if let Some(exploration) = cell.get_mut("exploration") {
            exploration["took_ns"] = Value::Null;
            if exploration["violation"].is_object() {
                exploration["violation"]["path"] = Value::Null;
            }
        }
    }
    std::mem::take(cells)
}

fn stored(place: &Place, directory: &str) -> Vec<Value> {
    cells(&std::fs::read(place.path().join(directory).join("results.json")).unwrap())
}

#[test]
fn slices_of_a_search_add_up_to_the_search() {
    let place = Place::new();
    let slices = whole_and_slices(&place, &["explore", "--seeds", "100"]);
    let merged = report(&place, &slices, &["--format", "json"]);
    let whole = stored(&place, "whole/latest");
    assert_eq!(cells(&merged.stdout), whole, "{}", stderr(&merged));
    // Something must have been there to go wrong: one slice found something that was not the first of the whole.
    let schedule = |cell: &Value| cell["exploration"]["violation"]["schedule"].as_u64();
    let found: Vec<_> = whole.iter().filter_map(schedule).collect();
    assert!(found.iter().any(|&number| number > 1) && found.len() < whole.len(), "{found:?}");
    let looked = |cell: &Value| cell["exploration"]["schedules"].as_u64();
    assert!(whole.iter().filter_map(looked).any(|schedules| schedules == 100));
}

#[test]
fn a_slice_that_found_nothing_leaves_it_to_the_others_to_have() {
    let place = Place::new();
    let fixed = ["explore", "rarely.toml", "--strategy", "none", "--seed", "7", "--seeds", "40"];
    scenarios(&place);
    let slice = |number: u32| {
        let (out, slice) = (format!("slice-{number}"), format!("slice:{number}/2"));
        let ran = lockproof(
            &place,
            &[&fixed, ["--partition", &slice, "--out", &out].as_slice()].concat(),
        );
        (out + "/latest", ran)
    };
    let text = std::fs::read_to_string(place.path().join("rarely.toml")).unwrap();
    // One holder sells nothing twice, though the fault bites.
    let harmless = text
        .replace("at = \"after-check\"", "at = \"before-acquire\"")
        .replace("holders = 4", "holders = 1");
    place.scenario("rarely", &harmless.replace("probability = 0.01", "every = 2"));
    let slices: Vec<_> = (1..=2).map(slice).collect();
    for (_, ran) in &slices {
        assert_eq!(ran.status.code(), Some(3), "{}", stdout(ran));
        assert!(stdout(ran).contains("that were looked at here"), "{}", stdout(ran));
    }
    let directories: Vec<_> = slices.into_iter().map(|(directory, _)| directory).collect();
    let half = report(&place, &directories[..1], &[]);
    assert_eq!(half.status.code(), Some(5), "{}", stdout(&half));
    let whole = report(&place, &directories, &[]);
    assert_eq!(whole.status.code(), Some(1), "{}", stdout(&whole));
    assert!(stdout(&whole).contains("did not in 40"), "{}", stdout(&whole));
}

#[test]
fn slices_of_a_run_add_up_to_the_run() {
    let place = Place::new();
    let slices = whole_and_slices(&place, &["run", "--world", "sim"]);
    let merged = report(&place, &slices, &["--format", "json", "--out", "merged"]);
    let whole = stored(&place, "whole/latest");
    assert_eq!(cells(&merged.stdout), whole, "{}", stderr(&merged));
    assert_eq!(stored(&place, "merged"), whole, "and so they are kept");
    for slice in &slices {
        assert_eq!(stored(&place, slice).len(), 2, "each has its part");
    }
    let manifest: Value = serde_json::from_slice(&merged.stdout).unwrap();
    let command = manifest["manifest"]["command"].as_str().unwrap().to_owned();
    assert!(!command.contains("--partition"), "{command}");
}

#[test]
fn a_slice_that_is_missing_is_named_and_never_green() {
    let place = Place::new();
    let mut slices = whole_and_slices(&place, &["run", "--world", "sim", "--strategy", "row-lock"]);
    slices.remove(1);
    let merged = report(&place, &slices, &[]);
    assert_eq!(merged.status.code(), Some(5), "{}", stdout(&merged));
    assert!(stderr(&merged).contains("slice:2/3 is missing"), "{}", stderr(&merged));
    assert!(stdout(&merged).contains("interrupted"), "{}", stdout(&merged));
}

#[test]
fn what_is_no_part_of_the_same_run_is_refused() {
    let place = Place::new();
    let slices = whole_and_slices(&place, &["run", "--world", "sim", "--strategy", "row-lock"]);
    let run = |file: &str, seed: &str, out: &str, rest: &[&str]| {
        let fixed = ["run", file, "--world", "sim", "--seed", seed, "--out", out];
        let ran = lockproof(&place, &[&fixed, rest].concat());
        assert!(ran.status.code().is_some_and(|code| code < 4), "{}", stderr(&ran));
        format!("{out}/latest")
    };
    let other_seed = run("often.toml", "8", "seed", &[]);
    let before = run("often.toml", "7", "before", &[]);
    let text = std::fs::read_to_string(place.path().join("often.toml")).unwrap();
    place.scenario("often", &text.replace("work = \"5ms\"", "work = \"6ms\""));
    let changed = run("often.toml", "7", "changed", &[]);
    let of_four = run("often.toml", "7", "four", &["--partition", "slice:4/4"]);
    let whole = "whole/latest".to_owned();
    let cases = [
        ([&slices[0], &slices[0]], "was given twice"),
        ([&whole, &other_seed], "seed 0x7 and seed 0x8"),
        ([&before, &changed], "a scenario was changed between the runs"),
        ([&slices[0], &whole], "the other is no slice"),
        ([&slices[0], &of_four], "of different numbers"),
    ];
    for (directories, expected) in cases {
        let refused = report(&place, &directories.map(Clone::clone), &[]);
        assert_eq!(refused.status.code(), Some(2), "{expected}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(expected), "{expected}: {}", stderr(&refused));
    }
}

/// The histogram of that name that a run has kept.
fn samples(place: &Place, directory: &str, name: &str) -> Histogram<u64> {
    let path = Path::new(directory).join("hist/often.row-lock.hlog");
    let log = std::fs::read(place.path().join(path)).unwrap();
    let mut entries = IntervalLogIterator::new(&log).map(Result::unwrap);
    let encoded = entries.find_map(|entry| match entry {
        LogEntry::Interval(it) if it.tag().is_some_and(|tag| tag.as_str() == name) => {
            Some(it.encoded_histogram().to_owned())
        }
        _ => None,
    });
    let bytes =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded.unwrap()).unwrap();
    Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
}

#[test]
fn percentiles_of_runs_that_are_merged_are_those_of_all_their_samples() {
    let place = Place::new();
    scenarios(&place);
    let runs: Vec<_> = (1..=3)
        .map(|number| {
            let out = format!("run-{number}");
            let fixed = ["run", "often.toml", "--strategy", "row-lock", "--seed", "7", "--out"];
            let ran = lockproof(&place, &[fixed.as_slice(), &[out.as_str()]].concat());
            assert_eq!(ran.status.code(), Some(0), "{}", stdout(&ran));
            format!("{out}/latest")
        })
        .collect();
    let merged = report(&place, &runs, &["--format", "json", "--out", "merged"]);
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    let cell = &cells(&merged.stdout)[0];
    assert_eq!(cell["attempts"], 48);
    for (shown, name) in [("acquire", "entry"), ("response", "response"), ("service", "service")] {
        let mut all = samples(&place, &runs[0], name);
        runs[1..].iter().for_each(|run| all.add(samples(&place, run, name)).unwrap());
        #[expect(clippy::cast_precision_loss, reason = "three digits of a second fit an f64")]
        let at = |quantile: f64| Some(all.value_at_quantile(quantile) as f64 / 1000.0);
        let shown = &cell[shown];
        assert_eq!(shown["count"], all.len());
        assert_eq!(shown["p50_us"].as_f64(), at(0.5), "{name}");
        assert_eq!(shown["p99_us"].as_f64(), at(0.99), "{name}");
        assert_eq!(shown["p999_us"].as_f64(), at(0.999), "{name}");
        assert_eq!(shown["max_us"].as_f64(), at(1.0), "{name}");
        assert_eq!(samples(&place, "merged", name), all, "and the samples are kept");
    }
}

#[test]
fn a_slice_that_does_not_exist_is_refused() {
    let place = Place::new();
    scenarios(&place);
    for (slice, index, expected) in [
        ("slice:4/3", None, "write slice:2/4 for the second of four"),
        ("2/3", None, "write slice:2/4 for the second of four"),
        ("slice:auto/3", None, "JOB_COMPLETION_INDEX, which is not set"),
        ("slice:auto/3", Some("3"), "indices count from 0"),
    ] {
        let mut command = place.lockproof();
        command.env_remove("JOB_COMPLETION_INDEX");
        command.envs(index.map(|index| ("JOB_COMPLETION_INDEX", index)));
        let refused = command.args(["run", "often.toml", "--partition", slice]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{slice}");
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
}

#[test]
fn every_schedule_is_kept_where_that_is_asked_for() {
    let place = Place::new();
    scenarios(&place);
    let arguments =
        ["explore", "rarely.toml", "--strategy", "row-lock", "--seeds", "5", "--keep-histories"];
    let explored = lockproof(&place, &arguments);
    assert!(stdout(&explored).contains("--keep-histories --seed"), "{}", stdout(&explored));
    let folder = place.path().join("reports/latest/histories/rarely.row-lock");
    let mut seeds = std::collections::BTreeSet::new();
    for number in 1..=5 {
        let path = folder.join(format!("{number}.ndjson.zst"));
        let stored = lockproof_report::read_history(&path).unwrap();
        assert!(!stored.history.operations.is_empty());
        seeds.insert(stored.header.seed);
    }
    assert_eq!(seeds.len(), 5, "each of a seed of its own");
}

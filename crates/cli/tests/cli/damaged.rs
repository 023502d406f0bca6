//! Report directories that something has happened to: what, and where, and no panic.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::{Place, small, stderr};

/// A finished slice, which has a file of every kind but those of unfinished runs.
fn finished() -> Place {
    let place = Place::new();
    let expect = "[expect]\nnone = \"duplicates\"\n[require]\nbookings = 1\n";
    place.scenario("s", &small(r#"["none"]"#, expect));
    let fixed = ["explore", "s.toml", "--seed", "7", "--seeds", "20", "--out", "r"];
    let ran = place.lockproof().args(fixed).args(["--partition", "slice:1/1"]).output().unwrap();
    assert!(ran.status.code().is_some_and(|code| code < 4), "{}", stderr(&ran));
    place
}

/// The same as if it had been killed, with its one cell ended.
fn unfinished() -> Place {
    let place = finished();
    let latest = place.path().join("r/latest");
    let results = fs::read(latest.join("results.json")).unwrap();
    let mut results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    fs::write(latest.join("cells.ndjson"), format!("{}\n", results["cells"][0].take())).unwrap();
    fs::remove_file(latest.join("results.json")).unwrap();
    let manifest = fs::read_to_string(latest.join("manifest.json")).unwrap();
    let manifest = manifest.replace("\"interrupted\": false", "\"interrupted\": true");
    fs::write(latest.join("manifest.json"), manifest).unwrap();
    place
}

fn report(place: &Place) -> Output {
    place.lockproof().args(["report", "r/latest"]).output().unwrap()
}

/// Does `damage` to the file, and looks for the file's name and `expected` in what is said.
fn refused(place: &Place, file: &str, damage: impl FnOnce(&Path), expected: &str) {
    let path = place.path().join("r/latest").join(file);
    let whole = fs::read(&path).unwrap();
    damage(&path);
    let output = report(place);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{file}: {said}");
    assert!(said.contains(file) && said.contains(expected), "{file}, {expected}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    fs::write(path, whole).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

/// One byte in the middle is another.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

fn empty(path: &Path) {
    fs::write(path, "").unwrap();
}

/// Has a length that no report has, and takes no room on disk.
fn huge(path: &Path) {
    fs::File::create(path).unwrap().set_len(3 << 30).unwrap();
}

#[test]
fn a_report_that_is_damaged_is_refused_with_the_place() {
    let place = finished();
    refused(&place, "results.json", cut, "EOF while parsing");
    refused(&place, "results.json", cut, " at line ");
    refused(&place, "results.json", empty, "it is empty");
    refused(&place, "results.json", huge, "it has 3072 MiB");
    refused(&place, "results.json", |at| fs::write(at, "[]").unwrap(), " at line 1 column ");
    let newer = |at: &Path| fs::write(at, r#"{"schema_version":99,"more":1}"#).unwrap();
    refused(&place, "results.json", newer, "schema version 99 is not the 1");
    assert_ne!(report(&place).status.code(), Some(2), "it is whole again");
}

#[test]
fn samples_and_schedules_that_are_damaged_are_refused_with_the_place() {
    let place = finished();
    let log = "schedules/s.none.ndjson.zst";
    refused(&place, log, cut, "line ");
    refused(&place, log, flip, "line ");
    refused(&place, log, empty, "line 1: incomplete frame");
    let odd = |at: &Path| fs::write(at, zstd::encode_all(&b"{}\n"[..], 1).unwrap()).unwrap();
    refused(&place, log, odd, "line 1: missing field");
    let hist = "hist/s.none.hlog";
    refused(&place, hist, |at| fs::write(at, "Tag=a,0.0,1.0,2.0,####\n").unwrap(), "no base64");
    refused(&place, hist, |at| fs::write(at, "Tag=a,0.0,1.0,2.0,AAAA\n").unwrap(), "is damaged");
    refused(&place, hist, |at| fs::write(at, "#[fine]\nwhat is this\n").unwrap(), "line 2");
    assert_ne!(report(&place).status.code(), Some(2), "it is whole again");
}

#[test]
fn what_a_killed_run_left_is_refused_where_it_is_damaged_and_not_where_it_ends() {
    let place = unfinished();
    assert_eq!(report(&place).status.code(), Some(3));
    refused(&place, "manifest.json", cut, " at line ");
    refused(&place, "manifest.json", empty, "it is empty");
    refused(&place, "scenarios/s.toml", |at| fs::write(at, "what").unwrap(), "s.toml:1:");
    let twice = |at: &Path| {
        let line = fs::read_to_string(at).unwrap();
        fs::write(at, format!("{line}{{\"scenario\":1}}\n")).unwrap();
    };
    refused(&place, "cells.ndjson", twice, "line 2, column ");
    // Half a line at the end is what was being written.
    cut(&place.path().join("r/latest/cells.ndjson"));
    let output = report(&place);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = crate::stdout(&output);
    assert!(said.contains("operations into it") || said.contains("had not begun"), "{said}");
}

#[test]
fn what_is_no_report_directory_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path().join("nothing")).unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    for (path, expected) in [
        ("nothing", "it has neither results.json nor manifest.json"),
        ("nowhere", "no such report directory"),
        ("file", "no such report directory"),
    ] {
        let output = place.lockproof().args(["report", path]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    assert_eq!(place.lockproof().arg("report").output().unwrap().status.code(), Some(2));
}

#[test]
fn a_report_is_never_written_over_something() {
    let place = finished();
    fs::create_dir(place.path().join("taken")).unwrap();
    fs::write(place.path().join("taken/mine"), "").unwrap();
    let output = place.lockproof().args(["report", "r/latest", "--out", "taken"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("it is not empty"), "{}", stderr(&output));
}

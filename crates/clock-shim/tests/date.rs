//! A real process under a steered clock.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lockproof_clock_shim::SteeredClock;

const HOUR: i64 = 3_600_000_000_000;

/// Seconds since 1970, by coreutils' `date` under `clock`.
fn date(clock: Option<&SteeredClock>) -> i64 {
    let mut date = Command::new("date");
    date.arg("+%s").stdin(Stdio::null());
    if let Some(clock) = clock {
        date.envs(clock.environment());
    }
    let output = date.output().expect("date is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

fn real() -> i64 {
    date(None) * 1_000_000_000
}

#[test]
fn a_process_sees_the_clock_jump_forward_and_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut clock = SteeredClock::create(directory.path()).expect("it can be made");
    let right = date(Some(&clock));
    assert!((right - date(None)).abs() <= 60, "a right clock is right: {right}");
    clock.set(|clock| clock.jump(real(), 10 * HOUR)).expect("the map is written");
    let hours = (date(Some(&clock)) - date(None)) / 60;
    assert!((599..=601).contains(&hours), "ten hours are 600 minutes: {hours}");
    clock.set(|clock| clock.jump(real(), -20 * HOUR)).expect("the map is written");
    let hours = (date(Some(&clock)) - date(None)) / 60;
    assert!((-601..=-599).contains(&hours), "ten hours back: {hours}");
}

#[test]
fn a_clock_that_runs_faster_gains() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut clock = SteeredClock::create(directory.path()).expect("it can be made");
    // As if the rate had been set a thousand seconds ago.
    clock
        .set(|clock| clock.run_at(real() - 1000 * 1_000_000_000, 100.0))
        .expect("the map is written");
    let gained = date(Some(&clock)) - date(None);
    // 99 seconds for each of a thousand, and a few more while the test runs.
    assert!((98_000..=110_000).contains(&gained), "{gained}");
}

#[test]
fn without_a_map_the_clock_is_right() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = SteeredClock::create(directory.path()).expect("it can be made");
    let [(preload, library), (variable, _)] = clock.environment();
    let mut date = Command::new("date");
    let nowhere: &Path = &directory.path().join("nowhere");
    let output = date.arg("+%s").env(preload, library).env(variable, nowhere).output();
    let text = String::from_utf8(output.expect("date is there").stdout).expect("digits");
    let shown = Duration::from_secs(text.trim().parse().expect("a number"));
    assert!(shown.as_secs().abs_diff(u64::try_from(self::date(None)).expect("after 1970")) < 60);
}

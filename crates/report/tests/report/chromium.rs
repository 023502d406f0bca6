//! The page in a real browser, without a head.
//!
//! A script that uses the page as a person would, by clicks and by keys, is put at its end; what the browser prints of
//! the page afterwards says what became of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lockproof_model::{CurvePoint, Instant, RunReport, Stretch, Timeline};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture;
use crate::renderings::rendered;

const SELF_TEST: &str = include_str!("chromium/self_test.js");
const BYTES_MAX: usize = 1_000_000;
const OPENS_WITHIN_MS: f64 = 2_000.0;

/// As many cells as all scenarios that are shipped have, each with everything that a cell can have.
fn large() -> RunReport {
    let cells = (0..20).flat_map(|number| {
        fixture::everything().cells.into_iter().map(move |mut cell| {
            cell.scenario = format!("{}-{number}", cell.scenario);
            cell.pictures.response = (0_u8..20)
                .map(f64::from)
                .map(|n| CurvePoint { quantile: n / 20.0, value_us: 900.0 + 70.0 * n })
                .collect();
            cell.pictures.timeline = Some(Timeline {
                from: Instant::ZERO,
                width: Duration::from_millis(100),
                stretches: vec![
                    Stretch {
                        finished: 9,
                        booked: 4,
                        p50_us: Some(1e3),
                        p99_us: Some(9e3)
                    };
                    40
                ],
            });
            cell
        })
    });
    fixture::report(cells.collect())
}

/// What the browser makes of `page` at this width, and what it complained of.
fn browsed(page: &str, width: u32) -> Option<(Value, String)> {
    let Ok(version) = Command::new("chromium").arg("--version").output() else {
        skip("chromium is not on PATH; `cargo xtask test` installs it");
        return None;
    };
    assert!(version.status.success(), "{version:?}");
    let place = TempDir::new().expect("a temporary directory");
    let file = place.path().join("report.html");
    let tested = page.replace("</body>", &format!("<script>{SELF_TEST}</script></body>"));
    fs::write(&file, tested).expect("it is ours");
    let output = browser(place.path(), width).arg(&file).output().expect("it was here before");
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints = complaints.lines().filter(|line| line.contains("CONSOLE"));
    let printed = String::from_utf8_lossy(&output.stdout);
    let seen =
        printed.split_once("<pre id=\"seen\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (seen, _) = seen.unwrap_or_else(|| panic!("the page did not get to its end: {output:?}"));
    let seen = seen.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some((serde_json::from_str(&seen).expect("JSON"), complaints.collect::<Vec<_>>().join("\n")))
}

fn browser(profile: &Path, width: u32) -> Command {
    let mut browser = Command::new("chromium");
    // Without its sandbox, since tests run as root in containers; what it opens is our own.
    browser.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
    browser.args(["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", profile.join("profile").display()));
    browser.arg(format!("--window-size={width},900")).stdin(Stdio::null());
    browser
}

#[expect(
    clippy::print_stderr,
    reason = "a test that did not run must not look like one that passed"
)]
fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}, and CI skips nothing");
    eprintln!("SKIPPED: the page in a browser: {why}");
}

#[test]
fn every_tab_works_by_click_and_by_key_and_nothing_is_fetched() {
    let page = rendered("html", &large());
    assert!(page.len() < BYTES_MAX, "{} bytes", page.len());
    let Some((seen, complaints)) = browsed(&page, 1280) else { return };
    assert_eq!(complaints, "", "the browser complained");
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["requests"], serde_json::json!([]), "the page asked for something");
    assert_eq!(seen["clicked"], 7, "{seen}");
    assert_eq!(seen["keyed"], 7, "{seen}");
    assert_eq!(seen["empty"], serde_json::json!([]), "panels without anything in them");
    assert_eq!(seen["dialog"], true, "a cell did not open: {seen}");
    assert_eq!(seen["same_ids"], serde_json::json!([]), "identifiers that are not one's own");
    let took = seen["opened_ms"].as_f64().expect("a number");
    assert!(took < OPENS_WITHIN_MS, "it took {took} ms to open");
}

#[test]
fn nothing_is_wider_than_a_telephone() {
    let Some((seen, complaints)) = browsed(&rendered("html", &large()), 390) else { return };
    assert_eq!(complaints, "");
    assert_eq!(seen["too_wide"], serde_json::json!([]), "tabs wider than the page");
}

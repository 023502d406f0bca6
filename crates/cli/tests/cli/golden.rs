//! All that `explore` prints and draws of a violation, as a reader sees it.
//!
//! A seed decides every step and every instant of it. Who changes what a seed means (the order in which a simulation
//! draws, a delay, a default) changes these two files too, and looks at them before they are accepted.

use crate::{Place, stderr, stdout};

/// The table's last column: real time, the one thing here that no seed decides.
const TOOK: &str = "took";

#[test]
fn a_violation_is_printed_and_drawn_as_ever() {
    let scenario =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/holder-paused-past-ttl.toml");
    let place = Place::new();
    std::fs::copy(scenario, place.path().join("paused.toml")).unwrap();
    let arguments = ["explore", "paused.toml", "--strategy", "redis-set-nx,redis-set-nx+version"];
    let search = ["--seeds", "25", "--seed", "0x7", "--show-progress", "none"];
    let output = place.lockproof().args(arguments).args(search).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let reports = place.path().join("reports");
    let directory = std::fs::read_link(reports.join("latest")).unwrap();
    let printed = stdout(&output)
        .replace(directory.to_str().unwrap(), "<date>-<name>")
        .replace(env!("CARGO_PKG_VERSION"), "<version>");
    insta::assert_snapshot!("printed", without_took(&printed));
    let drawing = reports.join("latest/replays/holder-paused-past-ttl.redis-set-nx.svg");
    insta::assert_snapshot!("drawn", std::fs::read_to_string(drawing).unwrap());
}

/// The page without that column, which ends each line of its table.
fn without_took(page: &str) -> String {
    let mut is_in_table = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if let Some(header) = line.strip_suffix(TOOK) {
            is_in_table = true;
            lines.push(header.trim_end());
            continue;
        }
        is_in_table &= !line.is_empty();
        // A figure and its unit.
        let row = || line.rsplitn(3, ' ').last().unwrap_or_default().trim_end();
        lines.push(if is_in_table { row() } else { line });
    }
    lines.join("\n")
}

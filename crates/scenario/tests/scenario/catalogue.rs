//! The failure modes, held against the scenarios that are shipped.

use std::path::Path;

use lockproof_model::{FAILURE_MODES, Place};
use lockproof_scenario::{Scenario, files_under, load};

fn shipped() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["scenarios", "adapters/scenarios"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| files_under(folder).expect("it can be read"));
    // Those of adapters name programs by where they are from the root.
    let text = |path: &Path| std::fs::read_to_string(path).expect("it can be read");
    files
        .filter_map(|path| match load(&path) {
            Ok(scenario) => Some(scenario),
            Err(_) if text(&path).contains("external:") => None,
            Err(problems) => panic!("{problems}"),
        })
        .collect()
}

#[test]
fn every_failure_mode_is_shown_where_the_catalogue_says() {
    let scenarios = shipped();
    let mut wrong = Vec::new();
    for mode in FAILURE_MODES {
        let showing: Vec<_> = scenarios
            .iter()
            .filter(|scenario| scenario.catalog.iter().any(|id| id == mode.id))
            .collect();
        let simulated = showing.iter().any(|scenario| scenario.needs_live().is_none());
        let is_right = match mode.place {
            Place::Simulated => simulated,
            Place::Live(_) => !simulated && !showing.is_empty(),
            Place::Nowhere(_) => showing.is_empty(),
        };
        if !is_right {
            let names: Vec<_> = showing.iter().map(|scenario| scenario.name.as_str()).collect();
            wrong.push(format!("{}: {:?}, shown by {names:?}", mode.id, mode.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where everybody looks for them; the first scenario of the manual is beside them.
#[test]
fn what_shows_a_failure_mode_is_in_the_folder_of_the_catalogue() {
    for scenario in shipped() {
        let is_there = scenario.path.components().any(|part| part.as_os_str() == "catalogue");
        let is_elsewhere = scenario.name == "holder-paused-past-ttl"
            || scenario.path.components().any(|part| part.as_os_str() == "adapters");
        assert_eq!(is_there, !scenario.catalog.is_empty() && !is_elsewhere, "{}", scenario.name);
    }
}

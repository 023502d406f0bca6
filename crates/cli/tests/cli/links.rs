//! What is lost on the way, as the shipped scenarios have it.

mod postgres;

use std::path::{Path, PathBuf};

use crate::{Place, stderr, stdout};

/// A shipped scenario.
fn shipped(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let places = [folder.join("catalogue"), folder].map(|place| place.join(format!("{name}.toml")));
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no scenario {name}"))
}

/// Runs a shipped scenario, and holds it to its own expectations: every fault bit, or it is inconclusive.
fn as_expected(name: &str, arguments: &[&str]) {
    let place = Place::new();
    let output = place.lockproof().arg("run").arg(shipped(name)).args(arguments).output().unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{name} {arguments:?}\n{said}");
    assert!(said.contains(" bit ") && !said.contains("bit 0/"), "{said}");
}

#[test]
fn a_lost_reply_is_lost_in_both_worlds() {
    as_expected("reply-lost", &[]);
    as_expected("reply-lost", &["--world", "sim"]);
    as_expected("reply-lost", &["--world", "sim", "--wire"]);
}

#[test]
fn a_lost_acknowledgement_of_a_commit_is_lost_in_the_simulated_world() {
    as_expected("commit-acknowledgement-lost", &["--world", "sim"]);
}

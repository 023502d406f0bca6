//! What the harness finds of other people's locks, on real servers: the scenarios of `adapters/scenarios`.

/// Modules by whose names `cargo xtask test` knows what they need.
mod python {
    mod node {
        mod postgres {
            mod redis_server {
                use crate::adapters::shipped::comes_to_what_is_expected;

                #[test]
                fn a_pause_past_the_ttl_sells_twice_under_both() {
                    comes_to_what_is_expected("holder-paused");
                }

                #[test]
                fn work_longer_than_the_ttl_sells_twice_under_both() {
                    comes_to_what_is_expected("expiry-mid-transaction");
                }

                #[test]
                fn a_late_release_takes_nothing_away_under_either() {
                    comes_to_what_is_expected("late-release");
                }

                #[test]
                fn redis_py_grants_what_has_ended() {
                    comes_to_what_is_expected("slow-acquire");
                }

                #[test]
                fn redlock_for_node_grants_what_has_ended() {
                    comes_to_what_is_expected("slow-quorum");
                }
            }
        }
    }
}

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::adapter_packages;
use crate::programs::{is_here, skip};
use crate::{Place, stderr, stdout};

#[test]
fn every_scenario_of_adapters_can_be_read() {
    let mut command = Place::new().lockproof();
    let output =
        command.current_dir(root()).args(["list", "scenarios", "--dir", "adapters/scenarios"]);
    let output = output.output().unwrap();
    let printed = stdout(&output);
    assert_eq!(printed.matches("adapter-").count(), 5, "{printed}");
    assert!(!printed.contains("invalid"), "{printed}");
}

/// Runs the scenario from the root of the repository, whose adapters it names.
fn comes_to_what_is_expected(name: &str) {
    const WHAT: &str = "the shipped adapters";
    if !is_here("redis-server") {
        return skip(WHAT, "redis-server is not on PATH");
    }
    let (python, node) = match (adapter_packages::redis_py(), adapter_packages::node_redlock()) {
        (Ok(python), Ok(node)) => (python, node),
        (Err(why), _) | (_, Err(why)) => return skip(WHAT, &why),
    };
    let place = Place::new();
    let mut command = place.lockproof();
    command.current_dir(root()).arg("run").arg(format!("adapters/scenarios/{name}.toml"));
    command.args(["--provider", "process", "--out"]).arg(place.path().join("reports"));
    command.env("PYTHONPATH", python).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.env("NODE_PATH", node).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    for cell in results["cells"].as_array().unwrap() {
        // Its own expectations held; this says that they are those of a pass and not of a load in which nothing happened.
        assert!(cell["bookings"].as_u64().unwrap() > 0, "{cell}");
        assert_eq!(cell["failed"].as_u64(), Some(0), "an adapter failed: {}", cell["first_error"]);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

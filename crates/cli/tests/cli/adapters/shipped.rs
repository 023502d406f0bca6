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
use std::process::Command;

use serde_json::Value;

use crate::programs::{is_here, packages, skip};
use crate::{Place, stderr, stdout};

/// Runs the scenario from the root of the repository, whose adapters it names.
fn comes_to_what_is_expected(name: &str) {
    let wanted = ["python3", "node", "npm", "redis-server"];
    if let Some(missing) = wanted.into_iter().find(|program| !is_here(program)) {
        return skip("the shipped adapters", &format!("{missing} is not on PATH"));
    }
    let (python, node) = match (python_packages(), node_packages()) {
        (Ok(python), Ok(node)) => (python, node),
        (Err(why), _) | (_, Err(why)) => return skip("the shipped adapters", &why),
    };
    let place = Place::new();
    let mut command = place.lockproof();
    command.current_dir(root()).arg("run").arg(format!("adapters/scenarios/{name}.toml"));
    command.args(["--provider", "process", "--out"]).arg(place.path().join("reports"));
    command.env("PYTHONPATH", python).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.env("NODE_PATH", node.join("node_modules")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    for cell in results["cells"].as_array().unwrap() {
        // Its own expectations held; this says that they are those of a pass and not of a load in which nothing happened.
        assert!(cell["bookings"].as_u64().unwrap() > 0, "{cell}");
        assert_eq!(cell["failed"].as_u64(), Some(0), "an adapter failed: {}", cell["first_error"]);
    }
}

fn python_packages() -> Result<PathBuf, String> {
    let requirements = root().join("adapters/redis-py/requirements.txt");
    packages("adapter-redis-py", &requirements, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]);
        pip.arg(folder).arg("--requirement").arg(&requirements);
        pip
    })
}

fn node_packages() -> Result<PathBuf, String> {
    let from = root().join("adapters/node-redlock");
    packages("adapter-node-redlock", &from.join("package-lock.json"), |folder| {
        std::fs::copy(from.join("package.json"), folder.join("package.json")).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"]);
        npm.current_dir(folder);
        npm
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

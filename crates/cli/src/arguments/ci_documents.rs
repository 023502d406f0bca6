//! The workflows in `docs/ci` are files that CI servers can read, and every command in them can be typed.

use std::path::PathBuf;

use clap::Parser;
use yaml_rust2::{Yaml, YamlLoader};

use super::Arguments;

fn document(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs", name].iter().collect();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(name: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&document(name)).unwrap();
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

/// Every command of ours in a shell's text, held against what can be typed. Gives how many there are.
fn commands(script: &str) -> usize {
    let of_us = script.lines().map(str::trim).filter(|line| line.starts_with("lockproof "));
    let mut count = 0;
    for line in of_us {
        let parsed = Arguments::try_parse_from(line.split_whitespace());
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        count += 1;
    }
    count
}

#[test]
fn the_workflow_has_jobs_of_steps_that_use_or_run_something() {
    let workflow = yaml("ci/github-actions.yml");
    assert!(workflow["on"].as_hash().is_some() && workflow["permissions"].as_hash().is_some());
    let jobs = workflow["jobs"].as_hash().unwrap();
    assert!(!jobs.is_empty());
    let mut count = 0;
    for job in jobs.values() {
        assert!(job["runs-on"].as_str().is_some());
        for step in job["steps"].as_vec().unwrap() {
            match (step["uses"].as_str(), step["run"].as_str()) {
                (Some(action), None) => assert!(action.contains('@'), "{action} has no version"),
                (None, Some(script)) => count += commands(script),
                other => panic!("a step uses or runs: {other:?} in {step:?}"),
            }
            for key in step.as_hash().unwrap().keys() {
                let known = ["name", "if", "uses", "with", "run", "env"];
                assert!(known.contains(&key.as_str().unwrap()), "{key:?}");
            }
        }
    }
    assert_eq!(count, 2, "with a baseline and without");
}

#[test]
fn the_job_of_gitlab_has_a_script_and_tries_again_for_a_missing_server_alone() {
    let file = yaml("ci/gitlab-ci.yml");
    let job = &file["lockproof"];
    let script = job["script"].as_vec().unwrap();
    let count: usize = script.iter().map(|line| commands(line.as_str().unwrap())).sum();
    assert_eq!(count, 1);
    assert!(job["image"].as_str().is_some());
    assert_eq!(job["retry"]["exit_codes"][0].as_i64(), Some(5));
    assert!(job["artifacts"]["paths"].as_vec().is_some());
}

#[test]
fn what_the_page_says_can_be_typed() {
    assert_eq!(commands(&document("ci.md")), 2);
}

#[test]
#[should_panic(expected = "--no-such-flag")]
fn a_flag_that_does_not_exist_is_seen() {
    commands("lockproof gate --no-such-flag");
}

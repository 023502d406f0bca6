//! What is shipped for many machines: it parses, says what it must, and its command does something.

use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::{Place, small, stderr};

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(at_root(path)).unwrap()
}

fn job() -> Yaml {
    let documents = YamlLoader::load_from_str(&read("deploy/explore-job.yaml")).unwrap();
    documents.into_iter().find(|document| document["kind"].as_str() == Some("Job")).unwrap()
}

fn strings(list: &Yaml) -> Vec<String> {
    list.as_vec().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_job_is_indexed_and_knows_its_exit_codes() {
    let job = job();
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"].as_str(), Some("Indexed"));
    assert_eq!(spec["parallelism"].as_i64(), spec["completions"].as_i64());
    assert_eq!(spec["template"]["spec"]["restartPolicy"].as_str(), Some("Never"));
    // The rules of an index count only with a limit per index.
    assert!(spec["backoffLimitPerIndex"].as_i64().is_some());
    let rules = spec["podFailurePolicy"]["rules"].as_vec().unwrap();
    let action = |code: i64| {
        let has = |rule: &&Yaml| {
            let values = rule["onExitCodes"]["values"].as_vec();
            values.is_some_and(|values| values.iter().any(|value| value.as_i64() == Some(code)))
        };
        rules.iter().find(has).and_then(|rule| rule["action"].as_str())
    };
    let container = spec["template"]["spec"]["containers"][0]["name"].as_str();
    for rule in rules.iter().filter(|rule| !rule["onExitCodes"].is_badvalue()) {
        assert_eq!(rule["onExitCodes"]["containerName"].as_str(), container);
    }
    for answer in [1, 3, 4, 101] {
        assert_eq!(action(answer), Some("FailIndex"), "{answer} is never retried to green");
    }
    assert_eq!((action(2), action(5)), (Some("FailJob"), Some("Count")));
}

#[test]
fn a_pod_of_the_job_does_its_slice() {
    let job = job();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let completions = job["spec"]["completions"].as_i64().unwrap();
    let arguments = strings(&container["args"]);
    assert!(arguments.contains(&format!("--partition=slice:auto/{completions}")), "{arguments:?}");
    let place = Place::new();
    std::fs::create_dir(place.path().join("scenarios")).unwrap();
    place.scenario("scenarios/s", &small(r#"["row-lock"]"#, "[require]\nbookings = 1\n"));
    let here = |argument: String| match argument.as_str() {
        seeds if seeds.starts_with("--seeds=") => "--seeds=16".to_owned(),
        other => other
            .replace("$(JOB_COMPLETION_INDEX)", "7")
            .replace('/', "./")
            .replace("auto./", "auto/"),
    };
    let ran = place
        .lockproof()
        .args(arguments.into_iter().map(here))
        .env("JOB_COMPLETION_INDEX", "7")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let alone = place.lockproof().args(["report", "./reports./7/latest"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(5), "{}", stderr(&alone));
    assert!(stderr(&alone).contains("slice:1/8 is missing"), "{}", stderr(&alone));
}

#[test]
fn the_examples_are_yaml() {
    let docs = read("docs/many-machines.md");
    let blocks: Vec<_> =
        docs.split("```yaml\n").skip(1).filter_map(|at| at.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let parsed = YamlLoader::load_from_str(block).unwrap_or_else(|error| panic!("{error}"));
        let jobs = parsed[0]["jobs"].as_hash().unwrap();
        assert!(jobs.iter().all(|(_, job)| !job["runs-on"].is_badvalue()), "{jobs:?}");
    }
}

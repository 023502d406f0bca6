//! Scenarios: each can be run, as far as can be told without a server.

use crate::{Problem, Tree};

const FOLDER: &str = "scenarios";

/// Reads every scenario as a run would.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let files = tree.with_extension("toml").filter(|file| file.starts_with(FOLDER));
    let mut problems = Vec::new();
    for file in files {
        let found = lockproof_scenario::load(&tree.path(file)).err();
        problems.extend(found.into_iter().flat_map(|found| found.0).map(|found| {
            let remedy = "correct it; `lockproof new` shows what a scenario looks like";
            Problem::of(file, found.what, remedy).at(found.line)
        }));
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tree::tests::planted;

    #[test]
    fn what_no_run_would_take_is_rejected() {
        let (_folder, tree) =
            planted(&[("scenarios/a.toml", "schema_version = 1\nnonsense = 1\n"), ("b.toml", "x")]);
        let problems = check(&tree);
        assert!(problems.iter().all(|problem| problem.file == Path::new("scenarios/a.toml")));
        let nonsense = problems.iter().find(|problem| problem.what.contains("nonsense")).unwrap();
        assert_eq!(nonsense.line, Some(2));
    }
}

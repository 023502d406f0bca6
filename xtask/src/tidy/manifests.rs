//! Rules of manifests: what is common is said once, in the root.

use std::path::Path;

use toml::{Table, Value};

use super::rooms::Member;
use crate::{Failure, Problem, Tree};

/// Inherited by every member.
const INHERITED: &[&str] = &["version", "edition", "license", "rust-version"];
const DEPENDENCIES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// Looks at the manifest of every member.
pub(super) fn check(tree: &Tree, members: &[Member]) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for member in members {
        problems.extend(manifest(&member.manifest, &tree.read(&member.manifest)?));
    }
    Ok(problems)
}

fn manifest(file: &Path, text: &str) -> Vec<Problem> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Problem::of(file, error.to_string(), "mend the manifest")],
    };
    let mut problems = Vec::new();
    if !table.get("lints").is_some_and(inherits) {
        let what = "the workspace's lints are not switched on";
        problems.push(Problem::of(file, what, "add `[lints]` with `workspace = true`"));
    }
    let package = table.get("package").and_then(Value::as_table);
    for key in INHERITED {
        if !package.and_then(|package| package.get(*key)).is_some_and(inherits) {
            let what = format!("its {key} is not the workspace's");
            problems.push(Problem::of(file, what, format!("write `{key}.workspace = true`")));
        }
    }
    for dependencies in dependency_tables(&table) {
        problems
            .extend(dependencies.iter().filter_map(|(name, value)| dependency(file, name, value)));
    }
    problems
}

/// Those of the package and those of its targets.
fn dependency_tables(table: &Table) -> Vec<&Table> {
    let targets = table.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(table)
        .chain(targets)
        .flat_map(|table| DEPENDENCIES.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(Value::as_table)
        .collect()
}

fn dependency(file: &Path, name: &str, value: &Value) -> Option<Problem> {
    let is_path = value.get("path").is_some() && value.get("version").is_none();
    if inherits(value) || is_path {
        return None;
    }
    let what = format!("it has its own idea of `{name}`");
    let remedy = format!(
        "move it to [workspace.dependencies] of the root and write `{name}.workspace = true`"
    );
    Some(Problem::of(file, what, remedy))
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
        [package]\n\
        version.workspace = true\n\
        edition.workspace = true\n\
        license.workspace = true\n\
        rust-version.workspace = true\n\
        [dependencies]\n\
        a.workspace = true\n\
        b = { workspace = true, features = [\"c\"] }\n\
        d = { path = \"../d\" }\n\
        [lints]\n\
        workspace = true\n";

    fn found(text: &str) -> Vec<String> {
        let problems = manifest(Path::new("crates/a/Cargo.toml"), text);
        problems.into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn what_inherits_everything_passes() {
        assert_eq!(found(GOOD), [""; 0]);
    }

    #[test]
    fn every_key_of_its_own_is_rejected() {
        for key in INHERITED {
            let own = GOOD.replace(&format!("{key}.workspace = true"), &format!("{key} = \"1\""));
            // `version` is the end of `rust-version` too.
            assert!(found(&own).contains(&format!("its {key} is not the workspace's")), "{own}");
        }
    }

    #[test]
    fn lints_of_its_own_are_rejected() {
        let what = ["the workspace's lints are not switched on"];
        assert_eq!(found(&GOOD.replace("[lints]\nworkspace", "[lints]\nother")), what);
        assert_eq!(found(&GOOD.replace("[lints]\nworkspace = true", "")), what);
    }

    #[test]
    fn a_version_outside_the_root_is_rejected() {
        let what = ["it has its own idea of `a`"];
        for own in ["a = \"1\"", "a.version = \"1\"", "a = { path = \"../a\", version = \"1\" }"] {
            assert_eq!(found(&GOOD.replace("a.workspace = true", own)), what, "{own}");
        }
        for table in ["dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            assert_eq!(found(&format!("{GOOD}[{table}]\na = \"1\"\n")), what, "{table}");
        }
    }

    #[test]
    fn what_is_no_toml_is_rejected() {
        assert_eq!(found("[package").len(), 1);
    }
}

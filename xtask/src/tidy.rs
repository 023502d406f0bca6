//! The house rules that a program can hold the tree against.
//!
//! A rule is one file below, with a planted offender in its tests: a rule exists when it has rejected something.
//! Rules return data; printing and failing is for those who ask.

use std::path::Path;

use crate::{Failure, Problem, Tree, docs};

mod manifests;
mod rooms;
mod rust_text;
mod scenarios;
mod shell;
mod sources;

/// What the rules found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What must be mended.
    pub problems: Vec<Problem>,
    /// What is worth knowing, and is allowed.
    pub notes: Vec<String>,
}

/// Holds the workspace at `root` against every rule.
///
/// # Errors
/// A file or the workspace's metadata cannot be read.
pub fn look_at(root: &Path) -> Result<Findings, Failure> {
    let tree = Tree::walk(root)?;
    let members = rooms::members(root)?;
    let (mut problems, notes) = sources::check(&tree)?;
    problems.extend(rooms::check(&tree, &members));
    problems.extend(manifests::check(&tree, &members)?);
    problems.extend(scenarios::check(&tree));
    problems.extend(shell::check(&tree)?);
    problems.extend(docs::stale(&tree)?);
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Ok(Findings { problems, notes })
}

//! The tables of the documentation, written from the catalogs that they are about.
//!
//! A table stands between two markers, each alone on its line:
//!
//! ```text
//! <!-- generated: locks -->
//! …
//! <!-- /generated -->
//! ```
//!
//! `cargo xtask docs` writes what belongs there; tidy compares. Which tables there are is in `catalogs`.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::{Failure, Problem, Tree};

mod catalogs;
mod markers;
mod table;

use markers::Refreshed;

/// Writes every generated table of the tree's Markdown again; returns the files that changed.
///
/// # Errors
/// A file cannot be read or written, or its markers make no sense; then nothing of it is written.
pub fn write(tree: &Tree) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    for (file, refreshed) in refreshed(tree)? {
        if let Some((line, what)) = refreshed.broken.first() {
            return Err(format!("{}:{line}: {what}", file.display()).into());
        }
        if !refreshed.stale.is_empty() {
            fs::write(tree.path(&file), refreshed.text)?;
            written.push(file);
        }
    }
    Ok(written)
}

/// The tables that are not what the catalogs say.
pub(crate) fn stale(tree: &Tree) -> io::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for (file, refreshed) in refreshed(tree)? {
        for (line, name) in refreshed.stale {
            let what = format!("the table `{name}` is not what the catalog says");
            problems.push(Problem::of(&file, what, "run `cargo xtask docs`").at(line));
        }
        for (line, what) in refreshed.broken {
            problems.push(Problem::of(&file, what, "mend the markers").at(line));
        }
    }
    Ok(problems)
}

fn refreshed(tree: &Tree) -> io::Result<Vec<(PathBuf, Refreshed)>> {
    let files = tree.with_extension("md");
    files
        .map(|file| Ok((file.to_owned(), Refreshed::of(&tree.read(file)?, catalogs::TABLES))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::planted;

    #[test]
    fn a_stale_table_is_rejected_and_writing_mends_it() {
        let text = "before\n<!-- generated: locks -->\nold\n<!-- /generated -->\nafter\n";
        let (folder, tree) = planted(&[("README.md", text), ("docs/a.md", "nothing\n")]);
        let problems = stale(&tree).unwrap();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].what, "the table `locks` is not what the catalog says");
        assert_eq!(problems[0].line, Some(2));

        assert_eq!(write(&tree).unwrap(), [PathBuf::from("README.md")]);
        let mended = fs::read_to_string(folder.path().join("README.md")).unwrap();
        assert!(mended.starts_with("before\n<!-- generated: locks -->\n| lock |"), "{mended}");
        assert!(mended.ends_with("|\n<!-- /generated -->\nafter\n"), "{mended}");
        assert_eq!(stale(&tree).unwrap(), []);
        assert!(write(&tree).unwrap().is_empty());
    }

    #[test]
    fn markers_that_make_no_sense_are_rejected_and_nothing_is_written() {
        let text = "<!-- generated: looks -->\n<!-- /generated -->\n";
        let (folder, tree) = planted(&[("README.md", text)]);
        assert!(stale(&tree).unwrap()[0].what.starts_with("no table is called `looks`"));
        assert!(write(&tree).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("README.md")).unwrap(), text);
    }
}

//! Scenario files and the directories that hold them.

use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The scenario files that `paths` name: files as they are, of directories every `*.toml` within, by name.
pub(crate) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            collect(path, &mut files)?;
            if files.len() == before {
                let what = format!("{} holds no scenario (*.toml)", path.display());
                return Err(Failure::usage(format!("{what}; write one with `lockproof new NAME`")));
            }
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            let what = format!("{}: no such scenario file or directory", path.display());
            return Err(Failure::usage(what));
        }
    }
    files.dedup();
    Ok(files)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let cannot = |error| Failure::usage(format!("cannot read {}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(cannot)?.collect();
    let mut paths: Vec<_> =
        entries.map_err(cannot)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

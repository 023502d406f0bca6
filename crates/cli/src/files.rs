//! Scenario files and the directories that hold them.

use std::path::PathBuf;

use lockproof_scenario::files_under;

use crate::exit::Failure;

/// The scenario files that `paths` name: files as they are, of directories every `*.toml` within, by name.
pub(crate) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let cannot = |error| Failure::usage(format!("cannot read {}: {error}", path.display()));
            let found = files_under(path).map_err(cannot)?;
            if found.is_empty() {
                let what = format!("{} holds no scenario (*.toml)", path.display());
                return Err(Failure::usage(format!("{what}; write one with `lockproof new NAME`")));
            }
            files.extend(found);
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

//! `baseline.json` in a directory of its own: what later gates are held against.

use std::io;
use std::path::{Path, PathBuf};

use lockproof_model::{BASELINE_SCHEMA_VERSION, Baseline};
use serde::Deserialize;

use crate::catalog::to_json;
use crate::directory::file;

/// Its file in that directory.
const FILE: &str = "baseline.json";

/// There is no baseline to be held against.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("there is no baseline in {0}: {1}; `lockproof gate --save-baseline {0}` keeps one")]
    Unreadable(PathBuf, io::Error),
    /// It was read and is something else, or half of one.
    #[error("{0} is no baseline: {1}; keep a new one with --save-baseline")]
    Malformed(PathBuf, serde_json::Error),
    /// Another version of the program wrote it.
    #[error(
        "{path} has schema_version {found}, and this program reads {BASELINE_SCHEMA_VERSION}; keep a new one with --save-baseline"
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
}

/// What is read first: of another version nothing else can be relied upon.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

/// Reads the baseline that is kept in `directory`.
///
/// # Errors
/// There is none, or none that this version can read.
pub fn read_baseline(directory: &Path) -> Result<Baseline, BaselineError> {
    let path = directory.join(FILE);
    let unreadable = |error| BaselineError::Unreadable(directory.to_owned(), error);
    let text = std::fs::read(&path).map_err(unreadable)?;
    let malformed = |error| BaselineError::Malformed(path.clone(), error);
    let Version { schema_version: found } = serde_json::from_slice(&text).map_err(malformed)?;
    if found != BASELINE_SCHEMA_VERSION {
        return Err(BaselineError::OtherVersion { path, found });
    }
    serde_json::from_slice(&text).map_err(malformed)
}

/// Keeps `baseline` in `directory`, which is made where it is missing; one that is there is replaced in one step.
///
/// # Errors
/// The file could not be written; the message names it.
pub fn write_baseline(directory: &Path, baseline: &Baseline) -> io::Result<PathBuf> {
    file::naming(directory, std::fs::create_dir_all(directory))?;
    let path = directory.join(FILE);
    file::naming(&path, file::write_whole(&path, |out| to_json(baseline, out)))?;
    Ok(path)
}

//! The packages of the adapters that are shipped, as their lock files say. Used by the tests of several crates.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{is_here, packages};

/// Where redis-py is, for PYTHONPATH.
///
/// # Errors
/// Why it cannot be had.
pub(crate) fn redis_py() -> Result<PathBuf, String> {
    if !is_here("python3") {
        return Err("python3 is not on PATH".to_owned());
    }
    let requirements = shipped("redis-py/requirements.txt");
    packages("adapter-redis-py", &requirements, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]);
        pip.arg(folder).arg("--requirement").arg(&requirements);
        pip
    })
}

/// Where redlock and ioredis are, for `NODE_PATH`.
///
/// # Errors
/// Why they cannot be had.
pub(crate) fn node_redlock() -> Result<PathBuf, String> {
    if !is_here("node") || !is_here("npm") {
        return Err("node and npm are not on PATH".to_owned());
    }
    let installed =
        packages("adapter-node-redlock", &shipped("node-redlock/package-lock.json"), |folder| {
            let manifest = shipped("node-redlock/package.json");
            std::fs::copy(manifest, folder.join("package.json")).expect("target is ours");
            let mut npm = Command::new("npm");
            npm.args(["ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"]);
            npm.current_dir(folder);
            npm
        });
    Ok(installed?.join("node_modules"))
}

/// A file of `adapters/`.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters").join(name)
}

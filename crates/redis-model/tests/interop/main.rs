//! Other people's locks, unchanged, on the model.
//!
//! The scripts beside this file drive a library's own lock as its documentation says, and end with an error when
//! the model made it misbehave. Each module is named after what it needs on this machine, by which `cargo xtask
//! test` knows it; what is missing is said aloud, and is a failure with CI=true.

mod models;
mod programs;

mod node;
mod python;
mod redis_server;
mod rslock;

use std::path::PathBuf;

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "interop", name].iter().collect()
}

//! House keeping, as `cargo xtask test`, `cargo xtask tidy`, `cargo xtask docs` and `cargo xtask image`.
//!
//! It is a library so that the test suite can hold the tree against the house rules: `tests/tidy.rs` calls
//! [`tidy::look_at`], and nothing else has to remember to.

pub mod docs;
pub mod image;
mod problem;
mod say;
pub mod test;
pub mod tidy;
mod tree;

use std::path::Path;

pub use problem::Problem;
pub use say::say;
pub use tree::Tree;

/// Whatever went wrong; a task ends with the first of them, and its text is for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The root of the workspace that this was built from.
#[must_use]
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

//! A program that speaks for a lock.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a lock's program is started, once per holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// As its strategy spells it, for messages.
    pub name: String,
    /// Where it is; a bare name is looked for on PATH.
    pub program: PathBuf,
    /// With which it is started.
    pub arguments: Vec<String>,
}

//! How a service answered, counted.

use serde::{Deserialize, Serialize};

/// How many answers of one status a request had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerCount {
    /// The request as scenarios spell it: `acquire`, `check`, `verify`, `book`, `release`.
    pub request: String,
    /// The status; none where there was no answer.
    pub status: Option<u16>,
    /// How many.
    pub count: u32,
}

//! What keeps a system under test from standing up.

use std::error::Error;

/// A server could not be found, started or reached: infrastructure, worth trying again, and no verdict on any
/// strategy.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct RigError {
    what: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl RigError {
    /// `what` went wrong; a sentence that names the server and what to do.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

//! Errors, and whether they decide anything.

use std::error::Error;
use std::fmt;

use lockproof_model::Certainty;

/// A result whose error says how certain it is.
pub type Result<T, E = LockError> = std::result::Result<T, E>;

/// A backend did not answer, or answered with an error.
///
/// Converting a cause gives an *indefinite* error; a definite one is claimed by hand, where the code can
/// prove that nothing was sent or that the server refused before acting.
#[derive(Debug)]
pub struct LockError {
    certainty: Certainty,
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl LockError {
    /// `what` failed for want of an answer: nobody knows whether it took effect.
    pub fn indefinite(what: impl Into<String>) -> Self {
        Self { certainty: Certainty::Indefinite, what: what.into(), cause: None }
    }

    /// `what` failed and certainly had no effect.
    pub fn definite(what: impl Into<String>) -> Self {
        Self { certainty: Certainty::Definite, what: what.into(), cause: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Whether this settles what came of the request.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Whether the request certainly had no effect.
    #[must_use]
    pub const fn is_definite(&self) -> bool {
        matches!(self.certainty, Certainty::Definite)
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

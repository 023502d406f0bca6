//! Whether an error settles what came of a request.

use std::error::Error;

/// An error is indefinite unless the code that raises it can prove otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The request did not take effect and never will.
    Definite,
    /// Nobody knows. When in doubt, this is always safe.
    Indefinite,
}

/// An error and its causes on one line, for logs, histories and reports.
#[must_use]
pub fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

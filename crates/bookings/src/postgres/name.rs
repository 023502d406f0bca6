//! The name of a run's own schema; MariaDB calls it a database.

use std::fmt;
use std::str::FromStr;

use crate::error::Kind;
use crate::{BookingError, Result};

/// `PostgreSQL` cuts longer names off, and MariaDB refuses those past 64.
const LENGTH_MAX: usize = 63;

/// A schema name that needs no quotes: lower-case letters, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaName(String);

impl SchemaName {
    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SchemaName {
    type Err = BookingError;

    fn from_str(text: &str) -> Result<Self> {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let goes_on =
            text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if begins && goes_on && text.len() <= LENGTH_MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(BookingError::from(Kind::SchemaName(text.to_owned())).definite())
        }
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_name_that_would_need_quotes_is_refused_with_the_remedy() {
        assert_eq!("lockproof_7f".parse::<SchemaName>().unwrap().as_str(), "lockproof_7f");
        for text in ["", "7f", "Run", "a-b", "x; DROP TABLE slots", &"a".repeat(64)] {
            let error = text.parse::<SchemaName>().unwrap_err().to_string();
            assert!(error.contains("a-z, 0-9 and _"), "{error}");
        }
    }
}

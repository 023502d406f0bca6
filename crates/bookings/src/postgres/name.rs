//! The name of a run's own schema; MariaDB calls it a database.

use std::fmt;
use std::str::FromStr;

use lockproof_model::{SlotId, fnv1a};

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

    /// The key of the slot's advisory lock. A server has one number space for all schemas, so the name is a part of it;
    /// with 64 bits a collision, by which two slots would wait for each other (failure mode F48), is not to be expected.
    pub(crate) fn advisory_key(&self, slot: SlotId) -> i64 {
        fnv1a(self.0.bytes().chain(slot.0.to_le_bytes())).cast_signed()
    }

    /// The key of the advisory lock called `name`. No slot's: the byte between is in no schema's name.
    pub(crate) fn key_of_lock(&self, name: &str) -> i64 {
        fnv1a(self.0.bytes().chain([b'.']).chain(name.bytes())).cast_signed()
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
    fn neither_two_slots_nor_two_schemas_share_an_advisory_key() {
        let schemas =
            ["lockproof_7f", "lockproof_80"].map(|name| name.parse::<SchemaName>().unwrap());
        let keys = schemas
            .iter()
            .flat_map(|schema| (1..=10_000).map(|slot| schema.advisory_key(SlotId(slot))));
        assert_eq!(keys.collect::<std::collections::BTreeSet<_>>().len(), 20_000);
    }

    #[test]
    fn a_schema_name_that_would_need_quotes_is_refused_with_the_remedy() {
        assert_eq!("lockproof_7f".parse::<SchemaName>().unwrap().as_str(), "lockproof_7f");
        for text in ["", "7f", "Run", "a-b", "x; DROP TABLE slots", &"a".repeat(64)] {
            let error = text.parse::<SchemaName>().unwrap_err().to_string();
            assert!(error.contains("a-z, 0-9 and _"), "{error}");
        }
    }
}

//! What can be set of a toxic, and what was.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Entry;
use crate::rule::RuleError;

/// One thing that can be set.
#[derive(Debug)]
pub struct Attribute {
    /// Toxiproxy's name for it.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What it is when not given. Its kind is the kind that may be given.
    pub default: Value,
}

impl Attribute {
    /// What may be given.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.default.kind()
    }
}

/// Attributes by name.
pub type Attributes = BTreeMap<String, Value>;

/// What an attribute may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A length of time; in Toxiproxy's API whole milliseconds.
    Millis,
    /// A length of time; in Toxiproxy's API whole microseconds.
    Micros,
    /// A number of things.
    Count,
    /// A probability.
    Ratio,
    /// A word.
    Text,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Count => "a count",
            Self::Ratio => "a probability",
            Self::Text => "a text",
        })
    }
}

/// What an attribute is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A length of time, counted in milliseconds.
    Millis(Duration),
    /// A length of time, counted in microseconds.
    Micros(Duration),
    /// A number of things.
    Count(u64),
    /// A probability.
    Ratio(f64),
    /// A word.
    Text(Cow<'static, str>),
}

impl Value {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Millis(_) => Kind::Millis,
            Self::Micros(_) => Kind::Micros,
            Self::Count(_) => Kind::Count,
            Self::Ratio(_) => Kind::Ratio,
            Self::Text(_) => Kind::Text,
        }
    }

    pub(super) const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Millis(duration) | Self::Micros(duration) => write!(f, "{duration:?}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Ratio(ratio) => write!(f, "{ratio}"),
            Self::Text(text) if text.is_empty() => f.write_str("any"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Why a toxic could not be made of what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AttributeError(String);

impl AttributeError {
    pub(super) fn unknown(entry: &Entry, attribute: &str) -> Self {
        let names: Vec<_> = entry.attributes.iter().map(|known| known.name).collect();
        let (toxic, available) = (entry.name, names.join(", "));
        Self(format!("toxic `{toxic}` has no attribute `{attribute}`; it has: {available}"))
    }

    pub(super) fn wrong(toxic: &str, attribute: &str, what: &str) -> Self {
        Self(format!("attribute `{attribute}` of toxic `{toxic}` {what}"))
    }
}

impl From<RuleError> for AttributeError {
    fn from(error: RuleError) -> Self {
        Self(error.to_string())
    }
}

/// Attributes that were looked at once: each is known, of the right kind, and has a default.
pub(super) struct Given<'a> {
    entry: &'a Entry,
    attributes: &'a Attributes,
}

const DECLARED: &str = "an entry reads what it declares, as what it declares";

impl<'a> Given<'a> {
    pub(super) const fn new(entry: &'a Entry, attributes: &'a Attributes) -> Self {
        Self { entry, attributes }
    }

    pub(super) const fn toxic(&self) -> &'static str {
        self.entry.name
    }

    pub(super) fn duration(&self, name: &str) -> Duration {
        match self.value(name) {
            Value::Millis(duration) | Value::Micros(duration) => *duration,
            _ => unreachable!("{DECLARED}"),
        }
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Count(count) => *count,
            _ => unreachable!("{DECLARED}"),
        }
    }

    pub(super) fn ratio(&self, name: &str) -> f64 {
        match self.value(name) {
            Value::Ratio(ratio) => *ratio,
            _ => unreachable!("{DECLARED}"),
        }
    }

    /// None where it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Value::Text(text) => Some(&**text).filter(|text| !text.is_empty()),
            _ => unreachable!("{DECLARED}"),
        }
    }

    fn value(&self, name: &str) -> &Value {
        let default = || self.entry.attributes.iter().find(|known| known.name == name);
        let given = self.attributes.get(name);
        given.or_else(|| default().map(|known| &known.default)).expect(DECLARED)
    }
}

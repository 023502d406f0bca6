//! The toxics, in the order of the documentation.
//!
//! A new one is a file beside the others, its `mod` line and its line in [`CATALOG`] (and its name among the `pub
//! use`s, if Rust code is to build it without the catalog).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::toxic::Recipe;

mod latency;
mod reset_peer;
mod timeout;

pub use latency::Latency;
pub use reset_peer::ResetPeer;
pub use timeout::Timeout;

/// Every toxic that can be called by name.
pub const CATALOG: &[Entry] = &[latency::ENTRY, timeout::ENTRY, reset_peer::ENTRY];

/// The entry called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOG.iter().find(|entry| entry.name == name)
}

/// What the catalog says of a toxic.
#[derive(Debug)]
pub struct Entry {
    /// Toxiproxy's name for it.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What can be set, in the order of the documentation.
    pub attributes: &'static [Attribute],
    make: fn(&Given<'_>) -> Arc<dyn Recipe>,
}

impl Entry {
    /// The toxic with these attributes; those not given take their defaults.
    ///
    /// # Errors
    ///
    /// When an attribute is none of this toxic's.
    pub fn recipe(&self, attributes: &Attributes) -> Result<Arc<dyn Recipe>, AttributeError> {
        for name in attributes.keys() {
            if !self.attributes.iter().any(|known| known.name == name) {
                return Err(AttributeError::unknown(self, name));
            }
        }
        Ok((self.make)(&Given { entry: self, attributes }))
    }
}

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
        match self.default {
            Value::Duration(_) => Kind::Duration,
        }
    }
}

/// Attributes by name.
pub type Attributes = BTreeMap<String, Value>;

/// What an attribute may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A length of time (Toxiproxy's API: whole milliseconds).
    Duration,
}

/// What an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A length of time.
    Duration(Duration),
}

/// Why a toxic could not be made of what was given.
#[derive(Debug, thiserror::Error)]
#[error("toxic `{toxic}` has no attribute `{attribute}`; it has: {available}")]
pub struct AttributeError {
    toxic: &'static str,
    attribute: String,
    available: String,
}

impl AttributeError {
    fn unknown(entry: &Entry, attribute: &str) -> Self {
        let names: Vec<_> = entry.attributes.iter().map(|known| known.name).collect();
        Self { toxic: entry.name, attribute: attribute.to_owned(), available: names.join(", ") }
    }
}

/// Attributes that were looked at once: each is known, and has a default.
struct Given<'a> {
    entry: &'a Entry,
    attributes: &'a Attributes,
}

impl Given<'_> {
    fn duration(&self, name: &str) -> Duration {
        let Value::Duration(duration) = self.value(name);
        duration
    }

    fn value(&self, name: &str) -> Value {
        let default = || self.entry.attributes.iter().find(|known| known.name == name);
        let given = self.attributes.get(name).copied();
        given
            .or_else(|| default().map(|known| known.default))
            .expect("an entry reads what it declares")
    }
}

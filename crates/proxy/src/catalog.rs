//! The toxics and rules, in the order of the documentation.
//!
//! A new one is a file beside the others, its `mod` line and its line in [`CATALOG`] (and its name among the `pub
//! use`s, if Rust code is to build it without the catalog).

use std::sync::Arc;

use crate::spec::ToxicSpec;
use crate::toxic::Recipe;

mod attributes;
mod bandwidth;
mod latency;
mod limit_data;
mod noop;
mod packet_loss;
mod postgres_rule;
mod redis_rule;
mod reset_peer;
mod slicer;
mod slow_close;
mod timeout;

use attributes::Given;
pub use attributes::{Attribute, AttributeError, Attributes, Kind, Value};
pub use bandwidth::Bandwidth;
pub use latency::Latency;
pub use limit_data::LimitData;
pub use noop::Noop;
pub use packet_loss::PacketLoss;
pub use reset_peer::ResetPeer;
pub use slicer::Slicer;
pub use slow_close::SlowClose;
pub use timeout::Timeout;

/// Every toxic and rule that can be called by name.
pub const CATALOG: &[Entry] = &[
    latency::ENTRY,
    bandwidth::ENTRY,
    slow_close::ENTRY,
    timeout::ENTRY,
    reset_peer::ENTRY,
    slicer::ENTRY,
    limit_data::ENTRY,
    packet_loss::ENTRY,
    noop::ENTRY,
    redis_rule::ENTRY,
    postgres_rule::ENTRY,
];

/// The entry called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOG.iter().find(|entry| entry.name == name)
}

/// What the catalog says of a toxic.
#[derive(Debug)]
pub struct Entry {
    /// Toxiproxy's name for it, or ours for what Toxiproxy has not.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What can be set, in the order of the documentation.
    pub attributes: &'static [Attribute],
    make: fn(&Given<'_>) -> Result<ToxicSpec, AttributeError>,
}

impl Entry {
    /// The toxic with these attributes, on both directions of every connection; those not given take their defaults.
    ///
    /// # Errors
    ///
    /// When an attribute is none of this toxic's, or of another kind, or means nothing.
    pub fn spec(&self, attributes: &Attributes) -> Result<ToxicSpec, AttributeError> {
        for (name, value) in attributes {
            match self.attributes.iter().find(|known| known.name == name) {
                None => return Err(AttributeError::unknown(self, name)),
                Some(known) if known.kind() != value.kind() => {
                    let what = format!("takes {}, not {}", known.kind(), value.kind());
                    return Err(AttributeError::wrong(self.name, name, &what));
                }
                Some(_) => {}
            }
        }
        (self.make)(&Given::new(self, attributes))
    }
}

/// What most entries make.
fn toxic(recipe: impl Recipe) -> Result<ToxicSpec, AttributeError> {
    Ok(ToxicSpec::from_recipe(Arc::new(recipe)))
}

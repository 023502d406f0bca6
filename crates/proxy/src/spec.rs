//! What is asked for when a toxic is added.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::follow::Protocol;
use crate::rule::Rule;
use crate::toxic::{Direction, Recipe};

/// A toxic or a rule, and to what it applies. Unless narrowed: both directions of every connection.
#[derive(Clone, Debug)]
pub struct ToxicSpec {
    pub(crate) what: What,
    pub(crate) direction: Option<Direction>,
    pub(crate) toxicity: f64,
    pub(crate) reach: Reach,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Decides about bytes.
    Toxic(Arc<dyn Recipe>),
    /// Decides about requests.
    Rule(Arc<Rule>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Connections that are open, and those to come.
    All,
    /// Those that are open when it is added.
    Open,
}

impl ToxicSpec {
    /// This toxic, on both directions of every connection.
    pub fn new(recipe: impl Recipe) -> Self {
        Self::from_recipe(Arc::new(recipe))
    }

    /// The same, for what a catalog [entry](crate::Entry) made.
    #[must_use]
    pub const fn from_recipe(recipe: Arc<dyn Recipe>) -> Self {
        Self { what: What::Toxic(recipe), direction: None, toxicity: 1.0, reach: Reach::All }
    }

    /// A rule. It applies to connections that the proxy [follows](crate::Proxy::follow) from their first byte on, and
    /// to requests of which it has passed on nothing when the rule is added; a direction means nothing to it.
    #[must_use]
    pub const fn rule(rule: Arc<Rule>) -> Self {
        Self { what: What::Rule(rule), direction: None, toxicity: 1.0, reach: Reach::All }
    }

    /// Only on connections that are open when it is added.
    #[must_use]
    pub fn on_open_connections(self) -> Self {
        Self { reach: Reach::Open, ..self }
    }

    /// Only on bytes that go this way.
    #[must_use]
    pub fn only(self, direction: Direction) -> Self {
        Self { direction: Some(direction), ..self }
    }

    /// Only on some connections: each with this probability, drawn once for both its directions. Less than 0 (and
    /// NaN) is 0, more than 1 is 1.
    #[must_use]
    pub fn toxicity(self, probability: f64) -> Self {
        Self { toxicity: if probability > 0.0 { probability.min(1.0) } else { 0.0 }, ..self }
    }

    /// What has to be spoken for it to apply, where it is a rule.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        match &self.what {
            What::Rule(rule) => Some(rule.protocol()),
            What::Toxic(_) => None,
        }
    }

    /// The name of its toxic.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.what {
            What::Toxic(recipe) => recipe.name(),
            What::Rule(rule) => rule.name(),
        }
    }
}

/// Where a proxy's server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// There.
    Address(SocketAddr),
    /// Where the name leads, looked up anew for each connection: `localhost:6379`.
    Name(Arc<str>),
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl From<&str> for Upstream {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Address)
    }
}

/// Which of a proxy's toxics. Numbers rise, and none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToxicId(pub(crate) u64);

impl ToxicId {
    /// The number; the first is 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl ToxicId {
    /// No toxic's.
    pub(crate) const NOBODY: Self = Self(0);
}

impl fmt::Display for ToxicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! What is asked for when a toxic is added.

use std::fmt;
use std::sync::Arc;

use crate::toxic::{Direction, Recipe};

/// A toxic, and to what it applies. Unless narrowed: both directions of every connection.
#[derive(Clone, Debug)]
pub struct ToxicSpec {
    pub(crate) recipe: Arc<dyn Recipe>,
    pub(crate) direction: Option<Direction>,
    pub(crate) toxicity: f64,
}

impl ToxicSpec {
    /// This toxic, on both directions of every connection.
    pub fn new(recipe: impl Recipe) -> Self {
        Self::from_recipe(Arc::new(recipe))
    }

    /// The same, for what [`Entry::recipe`](crate::Entry::recipe) made.
    #[must_use]
    pub const fn from_recipe(recipe: Arc<dyn Recipe>) -> Self {
        Self { recipe, direction: None, toxicity: 1.0 }
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

    /// The name of its toxic.
    #[must_use]
    pub fn name(&self) -> &str {
        self.recipe.name()
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

impl fmt::Display for ToxicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

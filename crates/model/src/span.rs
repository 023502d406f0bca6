//! A part of a slot, for what is sold by the hour or by the night.

use serde::{Deserialize, Serialize};

/// A half-open range within a slot, in whatever unit the slot is divided: `[10, 12)` and `[12, 14)` do not overlap.
///
/// Not empty: `from` is below `to`, which the database refuses otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its first unit.
    pub from: u32,
    /// The unit after its last.
    pub to: u32,
}

impl Span {
    /// All of a slot, which is what is sold where nobody divides it.
    pub const WHOLE: Self = Self { from: 0, to: u32::MAX };

    /// Whether a unit is in both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// Whether it is all of a slot.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.from == Self::WHOLE.from && self.to == Self::WHOLE.to
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::WHOLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_one_may_be_the_beginning_of_the_next() {
        let span = |from, to| Span { from, to };
        assert!(!span(10, 12).overlaps(span(12, 14)));
        assert!(span(10, 12).overlaps(span(11, 13)) && span(11, 13).overlaps(span(10, 12)));
        assert!(span(10, 12).overlaps(Span::WHOLE) && Span::WHOLE.overlaps(Span::WHOLE));
    }
}

//! The number that orders a sorted set.

use std::cmp::Ordering;

use bytes::Bytes;

use crate::number::general_17;

/// A number that is never NaN, so that any two can be ordered. As in C, 0 and -0 are equal, though
/// they are printed differently.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score(f64);

impl Score {
    pub(crate) const fn new(number: f64) -> Option<Self> {
        if number.is_nan() { None } else { Some(Self(number)) }
    }

    /// `None` when infinities cancel each other out.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Self::new(self.0 + other.0)
    }

    /// Redis' compact encoding keeps whole numbers as integers, which know no -0.
    pub(crate) fn without_sign_of_zero(self) -> Self {
        if self.0 == 0.0 { Self(0.0) } else { self }
    }

    /// As replies show it.
    pub(crate) fn text(self) -> Bytes {
        general_17(self.0).into()
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}

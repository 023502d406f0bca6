//! A part of a run that somebody else does the rest of.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Slice `m` of `n`: of whatever is counted from 0, each n-th, so that every slice has about as much of every scenario.
///
/// Which slice has what depends on its number alone: n machines that know nothing of each other leave nothing out and do
/// nothing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Slice {
    /// Counted from 0 here, and from 1 where people read it.
    index: u32,
    count: NonZeroU32,
}

impl Slice {
    /// Slice `number`, counted from 1, of `count`; none where there is no such slice.
    #[must_use]
    pub fn new(number: u32, count: u32) -> Option<Self> {
        let (index, count) = (number.checked_sub(1)?, NonZeroU32::new(count)?);
        (index < count.get()).then_some(Self { index, count })
    }

    /// Which it is, counted from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.index + 1
    }

    /// Of how many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether it has what stands at `place`, counted from 0.
    #[must_use]
    pub fn has(self, place: u64) -> bool {
        place % u64::from(self.count.get()) == u64::from(self.index)
    }

    /// At which place, counted from 0, the thing stands that is number `nth` of its own, counted from 0.
    #[must_use]
    pub fn place(self, nth: u64) -> u64 {
        nth.saturating_mul(u64::from(self.count.get())).saturating_add(u64::from(self.index))
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slice:{}/{}", self.number(), self.count)
    }
}

impl From<Slice> for String {
    fn from(slice: Slice) -> Self {
        slice.to_string()
    }
}

/// It is no slice.
#[derive(Debug, PartialEq, Eq)]
pub struct ParseSliceError(String);

impl fmt::Display for ParseSliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no slice; write slice:2/4 for the second of four", self.0)
    }
}

impl std::error::Error for ParseSliceError {}

impl FromStr for Slice {
    type Err = ParseSliceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.strip_prefix("slice:").and_then(|numbers| {
            let (number, count) = numbers.split_once('/')?;
            Self::new(number.parse().ok()?, count.parse().ok()?)
        });
        parsed.ok_or_else(|| ParseSliceError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Slice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_in_exactly_one_slice() {
        for count in 1..=7 {
            let slices: Vec<_> = (1..=count).filter_map(|m| Slice::new(m, count)).collect();
            for place in 0..100 {
                assert_eq!(slices.iter().filter(|slice| slice.has(place)).count(), 1);
            }
            for slice in slices {
                let own: Vec<_> = (0..100).filter(|&place| slice.has(place)).collect();
                let told: Vec<_> = (0..).map(|nth| slice.place(nth)).take(own.len()).collect();
                assert_eq!(told, own, "{slice}");
            }
        }
    }

    #[test]
    fn a_slice_is_spelled_in_one_way() {
        assert_eq!("slice:2/4".parse(), Ok(Slice::new(2, 4).expect("there is one")));
        assert_eq!("slice:2/4".parse::<Slice>().map(String::from), Ok("slice:2/4".to_owned()));
        for text in ["slice:0/4", "slice:5/4", "slice:1/0", "2/4", "slice:", "slice:a/b", ""] {
            let error = text.parse::<Slice>().expect_err(text).to_string();
            assert!(error.contains("slice:2/4 for the second"), "{error}");
        }
    }
}

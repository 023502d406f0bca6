//! What a scenario expected and what it got.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What `[expect]` says of a strategy's effect on the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expectation {
    /// At least one slot is sold above its capacity: the strategy is a control here.
    Duplicates,
    /// No slot is.
    NoDuplicates,
    /// Nothing is sold at all, and so nothing twice.
    NoBookings,
    /// Exactly so many bookings are confirmed, none above capacity.
    Bookings(u32),
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicates => f.write_str("duplicates"),
            Self::NoDuplicates => f.write_str("no-duplicates"),
            Self::NoBookings => f.write_str("no-bookings"),
            Self::Bookings(count) => write!(f, "bookings = {count}"),
        }
    }
}

/// The text names no expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no expectation; write duplicates, no-duplicates, no-bookings or {{ bookings = N }}"
)]
pub struct ParseExpectationError(String);

impl FromStr for Expectation {
    type Err = ParseExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseExpectationError(text.to_owned());
        match text {
            "duplicates" => Ok(Self::Duplicates),
            "no-duplicates" => Ok(Self::NoDuplicates),
            "no-bookings" => Ok(Self::NoBookings),
            _ => {
                let count = text.strip_prefix("bookings = ").ok_or_else(wrong)?;
                count.parse().map(Self::Bookings).map_err(|_| wrong())
            }
        }
    }
}

impl TryFrom<String> for Expectation {
    type Error = ParseExpectationError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Expectation> for String {
    fn from(expectation: Expectation) -> Self {
        expectation.to_string()
    }
}

/// How a cell ended, by which the program's exit code is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The expectation held.
    Met,
    /// The run could not have shown a violation, or its evidence does not decide.
    Inconclusive,
    /// A server could not be started or reached.
    Infrastructure,
    /// The expectation did not hold.
    Failed,
}

/// The status of a cell and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// How it ended.
    pub status: Status,
    /// Why, a sentence each; empty when there is nothing to say.
    pub reasons: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expectation_survives_its_own_spelling() {
        for expectation in [
            Expectation::Duplicates,
            Expectation::NoDuplicates,
            Expectation::NoBookings,
            Expectation::Bookings(19),
        ] {
            assert_eq!(expectation.to_string().parse(), Ok(expectation));
        }
    }

    #[test]
    fn failed_is_worse_than_infrastructure_and_that_than_inconclusive() {
        assert!(Status::Failed > Status::Infrastructure);
        assert!(Status::Infrastructure > Status::Inconclusive);
        assert!(Status::Inconclusive > Status::Met);
    }
}

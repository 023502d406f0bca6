//! What a scenario expected and what it got.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use humantime::{format_duration, parse_duration};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::kinds;

/// What `[expect]` says of a strategy: its effect on the table, or what it suffers besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Expectation {
    /// At least one slot is sold above its capacity: the strategy is a control here.
    Duplicates,
    /// No slot is.
    NoDuplicates,
    /// Nothing is sold at all, and so nothing twice.
    NoBookings,
    /// Exactly so many bookings are confirmed, none above capacity.
    Bookings(u32),
    /// An anomaly of this kind, one of [`kinds::ALL`], whatever the layer; and no duplicate, unless it is that. No other
    /// strategy of the scenario may show it: they are what it is cured by.
    Shows(&'static str),
    /// For at least so long nothing is sold although somebody wants to book; and nothing twice.
    Blocked(Duration),
}

impl Expectation {
    /// Whether slots shall be sold twice.
    #[must_use]
    pub fn is_duplicates(self) -> bool {
        self == Self::Duplicates
    }

    /// Whether an anomaly of this kind is what shall be seen.
    #[must_use]
    pub fn shows(self, kind: &str) -> bool {
        matches!(self, Self::Shows(shown) if shown == kind)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicates => f.write_str("duplicates"),
            Self::NoDuplicates => f.write_str("no-duplicates"),
            Self::NoBookings => f.write_str("no-bookings"),
            Self::Bookings(count) => write!(f, "bookings = {count}"),
            Self::Shows(kind) => write!(f, "shows = {kind}"),
            Self::Blocked(least) => {
                write!(f, "blocked = {}", format_duration(*least).to_string().replace(' ', ""))
            }
        }
    }
}

/// The text names no expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no expectation; write duplicates, no-duplicates, no-bookings, {{ bookings = N }}, {{ shows = \"…\" }} or {{ blocked = \"…\" }}"
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
                let (what, value) = text.split_once(" = ").ok_or_else(wrong)?;
                let expectation = match what {
                    "bookings" => value.parse().map(Self::Bookings).ok(),
                    "shows" => kinds::find(value).map(Self::Shows),
                    "blocked" => parse_duration(value).map(Self::Blocked).ok(),
                    _ => None,
                };
                expectation.ok_or_else(wrong)
            }
        }
    }
}

/// By hand, since a derived one would borrow the kind from its input.
impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
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
    /// The expectation held, and the cell costs more than a baseline allows.
    Regressed,
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
            Expectation::Shows(kinds::ORPHANED_LOCK),
            Expectation::Blocked(Duration::from_millis(1500)),
        ] {
            assert_eq!(expectation.to_string().parse(), Ok(expectation));
        }
    }

    #[test]
    fn failed_is_worse_than_infrastructure_than_inconclusive_than_regressed() {
        assert!(Status::Failed > Status::Infrastructure);
        assert!(Status::Infrastructure > Status::Inconclusive);
        assert!(Status::Inconclusive > Status::Regressed);
        assert!(Status::Regressed > Status::Met);
    }
}

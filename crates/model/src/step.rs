//! The named points of a booking, where a fault may fire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A named point of a flow. Each is an operation in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Take the lock, waiting as the policy says.
    Acquire,
    /// The customer makes up their mind while the application waits (flows that reserve first).
    Think,
    /// Make the lease last longer (flows that do).
    Renew,
    /// Ask whether the lease still stands (flows that ask).
    Verify,
    /// Open the booking's transaction.
    Begin,
    /// Read whether the slot is free.
    Check,
    /// What the application does between its check and its write.
    Work,
    /// Write the booking, under the guard.
    Insert,
    /// Commit the booking's transaction.
    Commit,
    /// Do what no database can undo: send the e-mail, take the payment (flows that do).
    Notify,
    /// Give the lock back.
    Release,
}

impl Step {
    /// Every step, in the order of a booking.
    pub const ALL: [Self; 11] = [
        Self::Acquire,
        Self::Think,
        Self::Renew,
        Self::Verify,
        Self::Begin,
        Self::Check,
        Self::Work,
        Self::Insert,
        Self::Commit,
        Self::Notify,
        Self::Release,
    ];

    /// The word that scenario files and time lines use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Think => "think",
            Self::Renew => "renew",
            Self::Verify => "verify",
            Self::Begin => "begin",
            Self::Check => "check",
            Self::Work => "work",
            Self::Insert => "insert",
            Self::Commit => "commit",
            Self::Notify => "notify",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before its request leaves.
    Before,
    /// The backend has answered; the holder has not seen the answer.
    Answer,
    /// The holder has seen the answer.
    After,
}

/// A moment of a step, spelled `before-commit`, `answer-commit` or `after-check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Point {
    /// Which side.
    pub moment: Moment,
    /// Of which step.
    pub step: Step,
}

impl Point {
    /// The point before `step`'s request leaves.
    #[must_use]
    pub const fn before(step: Step) -> Self {
        Self { moment: Moment::Before, step }
    }

    /// The point between `step`'s answer and the holder's seeing it.
    #[must_use]
    pub const fn answer(step: Step) -> Self {
        Self { moment: Moment::Answer, step }
    }

    /// The point after the holder saw `step`'s answer.
    #[must_use]
    pub const fn after(step: Step) -> Self {
        Self { moment: Moment::After, step }
    }

    /// Every point of every step.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_step = |step| [Self::before(step), Self::answer(step), Self::after(step)];
        Step::ALL.into_iter().flat_map(of_step)
    }

    /// Every spelling, for help texts and did-you-mean.
    pub fn spellings() -> impl Iterator<Item = String> {
        Self::all().map(|point| point.to_string())
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::Answer => "answer",
            Moment::After => "after",
        };
        write!(f, "{moment}-{}", self.step)
    }
}

/// The text names no point of a flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no point of a booking; a point is before-, answer- or after- and a step, as in after-check"
)]
pub struct ParsePointError(String);

impl FromStr for Point {
    type Err = ParsePointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (moment, word) = text.split_once('-')?;
            let step = Step::ALL.into_iter().find(|step| step.word() == word)?;
            match moment {
                "before" => Some(Self::before(step)),
                "answer" => Some(Self::answer(step)),
                "after" => Some(Self::after(step)),
                _ => None,
            }
        };
        parse().ok_or_else(|| ParsePointError(text.to_owned()))
    }
}

impl TryFrom<String> for Point {
    type Error = ParsePointError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Point> for String {
    fn from(point: Point) -> Self {
        point.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_parses_back_to_its_point() {
        for spelling in Point::spellings() {
            assert_eq!(spelling.parse::<Point>().unwrap().to_string(), spelling);
        }
    }

    #[test]
    fn a_wrong_spelling_says_what_a_point_looks_like() {
        let error = "after-chekc".parse::<Point>().unwrap_err().to_string();
        assert!(error.contains("`after-chekc`") && error.contains("after-check"), "{error}");
    }
}

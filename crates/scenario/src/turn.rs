//! One line of a schedule.

use std::fmt;
use std::str::FromStr;

use lockproof_model::{HolderId, Point};

/// A holder comes to a point of a step: `holder 2 before-check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub holder: HolderId,
    /// Where.
    pub point: Point,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.holder, self.point)
    }
}

/// The text is no line of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no line of a schedule; write who and where, as in `holder 2 before-check`")]
pub struct ParseTurnError(String);

impl FromStr for Turn {
    type Err = ParseTurnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (number, point) = text.strip_prefix("holder ")?.split_once(' ')?;
            Some(Self { holder: HolderId(number.parse().ok()?), point: point.parse().ok()? })
        };
        parse().ok_or_else(|| ParseTurnError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use lockproof_model::Step;

    use super::*;

    #[test]
    fn a_turn_survives_its_own_spelling() {
        let turn = Turn { holder: HolderId(7), point: Point::before(Step::Commit) };
        assert_eq!(turn.to_string(), "holder 7 before-commit");
        assert_eq!(turn.to_string().parse(), Ok(turn));
        assert!("holder x before-commit".parse::<Turn>().is_err());
    }
}

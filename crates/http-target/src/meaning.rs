//! What a status means for the booking.

use std::fmt;
use std::str::FromStr;

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// It was done.
    Ok,
    /// A clear no.
    Refused,
    /// It certainly was not done, since the request was wrong.
    Failed,
    /// Nobody knows.
    Unknown,
}

impl Meaning {
    /// Every one, in documentation order.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Refused, Self::Failed, Self::Unknown];

    /// As scenarios spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A status or a class of them: `409`, `5xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusSet {
    /// All of a hundred.
    Class(u16),
    /// One.
    One(u16),
}

impl StatusSet {
    /// Whether `status` is one of them.
    #[must_use]
    pub const fn has(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Class(class) => class == status / 100,
        }
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

/// The text names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no status: write 409, or \"5xx\" for all of its kind")]
pub struct ParseStatusError(String);

impl FromStr for StatusSet {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u16>().ok();
        let class =
            text.strip_suffix("xx").and_then(number).filter(|class| (1..=5).contains(class));
        let one = || number(text).filter(|status| (100..=599).contains(status));
        let set = class.map(Self::Class).or_else(|| one().map(Self::One));
        set.ok_or_else(|| ParseStatusError(text.to_owned()))
    }
}

/// Which status means what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    said: Vec<(StatusSet, Meaning)>,
}

impl Statuses {
    /// Says what a status means. One by itself outweighs its class.
    pub fn say(&mut self, set: StatusSet, meaning: Meaning) {
        self.said.push((set, meaning));
    }

    /// What was said of just this set.
    #[must_use]
    pub fn said_of(&self, set: StatusSet) -> Option<Meaning> {
        self.said.iter().find(|(known, _)| *known == set).map(|(_, meaning)| *meaning)
    }

    /// What `status` means. Where nothing was said, 2xx is done, 409 a clear no, any other 4xx a wrong request, and the
    /// rest is unknown: a server that answers with a fault of its own may have written all the same.
    #[must_use]
    pub fn meaning(&self, status: u16) -> Meaning {
        let said = self.said_of(StatusSet::One(status));
        said.or_else(|| self.said_of(StatusSet::Class(status / 100))).unwrap_or(match status {
            200..=299 => Meaning::Ok,
            409 => Meaning::Refused,
            400..=499 => Meaning::Failed,
            _ => Meaning::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_servers_own_is_unknown_unless_somebody_vouches_for_it() {
        let mut statuses = Statuses::default();
        assert_eq!(statuses.meaning(201), Meaning::Ok);
        assert_eq!(statuses.meaning(409), Meaning::Refused);
        assert_eq!(statuses.meaning(422), Meaning::Failed);
        assert_eq!([500, 503, 302].map(|status| statuses.meaning(status)), [Meaning::Unknown; 3]);
        statuses.say("5xx".parse().unwrap(), Meaning::Failed);
        statuses.say("503".parse().unwrap(), Meaning::Refused);
        assert_eq!(statuses.meaning(500), Meaning::Failed);
        assert_eq!(statuses.meaning(503), Meaning::Refused);
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["6xx", "99", "600", "xx", "2x", ""] {
            assert!(text.parse::<StatusSet>().is_err(), "{text}");
        }
        assert_eq!("4xx".parse::<StatusSet>().unwrap().to_string(), "4xx");
    }
}

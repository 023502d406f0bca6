//! What can happen to single requests of a link, or to the replies to them.

use std::fmt;

pub use lockproof_proxy::{
    Choice as MessageChoice, Deed, Pattern, Protocol, RuleError, Spoken as SpokenRequest,
};

use crate::{Direction, Link};

/// This happens to those requests.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRule {
    /// Which are meant.
    pub pattern: Pattern,
    /// Which of those, counted over all links that are disturbed together.
    pub choice: MessageChoice,
    /// What happens.
    pub deed: Deed,
}

impl LinkRule {
    /// Which way the message goes that it happens to.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.deed {
            Deed::DelayReply(_) | Deed::HoldReply | Deed::DropReply => Direction::ToClient,
            Deed::Delay(_) | Deed::Hold | Deed::DropRequest | Deed::Reset | Deed::Duplicate => {
                Direction::ToServer
            }
        }
    }

    /// What happened to so many messages, as evidence.
    #[must_use]
    pub(crate) fn told(&self, count: u64) -> String {
        let what = match self.deed {
            Deed::Delay(_) => "delayed",
            Deed::Hold => "held",
            Deed::DelayReply(_) => "answered late",
            Deed::HoldReply => "answered, the reply held",
            Deed::DropRequest => "lost",
            Deed::DropReply => "answered, the reply lost",
            Deed::Reset => "lost in a reset",
            Deed::Duplicate => "sent twice",
        };
        format!("{} {what}, {count} times", self.pattern.label())
    }
}

impl fmt::Display for LinkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, deed, .. } = self;
        let deed = match deed {
            Deed::Delay(by) => format!("delay {by:?}"),
            Deed::Hold => "hold".to_owned(),
            Deed::DelayReply(by) => format!("delay-reply {by:?}"),
            Deed::HoldReply => "hold-reply".to_owned(),
            Deed::DropRequest => "drop-request".to_owned(),
            Deed::DropReply => "drop-reply".to_owned(),
            Deed::Reset => "reset".to_owned(),
            Deed::Duplicate => "duplicate".to_owned(),
        };
        write!(f, "{} → {deed}", pattern.label())
    }
}

impl Link {
    /// What is spoken on it, where a proxy can read that.
    #[must_use]
    pub const fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Redis(_) => Some(Protocol::Redis),
            Self::Database => Some(Protocol::Postgres),
            Self::Coordinator(_) => None,
        }
    }
}

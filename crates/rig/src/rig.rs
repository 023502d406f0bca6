//! What a fault can do to the system under test.

use std::fmt;
use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Group;
use lockproof_locks::Coordinator;
use lockproof_model::{HolderId, LockName};

use crate::holders::afflict_tasks;
use crate::{HolderAffliction, HolderEffect, LinkRule, RigError, ServerEffect, ServerKind};

/// The system under test, as faults see it.
pub trait Rig: Debug + Send + Sync {
    /// How many Redis servers there are.
    fn redis_servers(&self) -> usize;

    /// The tasks of `holder`, where the rig has such a holder.
    fn group(&self, holder: HolderId) -> Option<Group>;

    /// Every holder there is.
    fn holders(&self) -> Vec<HolderId>;

    /// Disturbs `links` until the answer is healed or dropped; those of `holders` alone, unless it is empty.
    ///
    /// # Errors
    /// The rig has no such link, or none that it could disturb.
    fn disturb(
        &self,
        links: &[Link],
        holders: &[HolderId],
        effect: LinkEffect,
    ) -> Result<Box<dyn Disturbance>, RigError>;

    /// Does `effect` to `servers`, each named by the link to it, until the answer is healed or dropped; those that are
    /// over at once heal nothing. Returns once the effect was seen at the servers.
    ///
    /// # Errors
    /// This rig's servers cannot suffer it, or did not.
    ///
    /// # Cancel safety
    /// Dropped, it may have been done to some servers; those are healed.
    fn afflict<'a>(
        &'a self,
        servers: &'a [Link],
        effect: ServerEffect,
    ) -> BoxFuture<'a, Result<Box<dyn Affliction>, RigError>>;

    /// Does `effect` to `holders` until the answer is healed or dropped. Returns once the effect was seen.
    ///
    /// # Errors
    /// A holder's process did not obey.
    ///
    /// # Cancel safety
    /// Dropped, it may have been done to some holders; those are healed.
    fn afflict_holders<'a>(
        &'a self,
        holders: &'a [HolderId],
        effect: HolderEffect,
    ) -> BoxFuture<'a, Result<Box<dyn HolderAffliction>, RigError>> {
        std::future::ready(Ok(afflict_tasks(self, holders, effect))).boxed()
    }

    /// Ends the database session of `holder` at the server, as an administrator would; returns once the server has
    /// none of it any more, and says what it ended. `None` where the holder has no session.
    ///
    /// # Errors
    /// This rig's database has no sessions that could be ended, or it could not be reached.
    fn end_session(&self, holder: HolderId) -> BoxFuture<'_, Result<Option<String>, RigError>>;

    /// Makes every server drop `lock`, as if its TTL had ended.
    ///
    /// # Errors
    /// A server could not be reached.
    fn expire_lock<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>>;
}

/// A disturbance of links in force. Dropping it heals as well, without a report.
pub trait Disturbance: Debug + Send {
    /// Waits until what is over at once is over; what lasts is in force as soon as it is there.
    ///
    /// # Cancel safety
    /// Dropped, it goes on.
    fn settled(&mut self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    /// Ends it, and says what it did, as evidence; `None` when no byte met it.
    fn heal(self: Box<Self>) -> Option<String>;
}

/// Servers that suffer something. Dropping it heals as well as can be done at once, without a report.
pub trait Affliction: Debug + Send {
    /// Ends it, and says what it did, as evidence; `None` when nobody could notice it.
    ///
    /// # Errors
    /// It could not be ended, or it did not do what it should have.
    fn heal(self: Box<Self>) -> BoxFuture<'static, Result<Option<String>, RigError>>;
}

/// What a disturbance does to the bytes of a link.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEffect {
    /// Every chunk arrives later, in both directions.
    Delay {
        /// By this much …
        by: Duration,
        /// … give or take up to this much.
        jitter: Duration,
    },
    /// Nothing arrives until it is healed; then everything does, in order.
    Hold,
    /// The same in one direction alone.
    HoldOneWay(Direction),
    /// The next message in this direction is lost, and its connection with it: a stream that lost bytes cannot go on.
    /// A lost reply is one whose request was carried out.
    Lose(Direction),
    /// Every connection is reset, once. What was on its way may have arrived.
    Reset,
    /// Something happens to single requests, or to the replies to them.
    Rule(LinkRule),
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Requests.
    ToServer,
    /// Replies.
    ToClient,
}

/// Servers on which a lock was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// On so many it was held.
    pub held_on: usize,
    /// Of so many servers.
    pub servers: usize,
}

/// One client side to one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// To Redis server number so-and-so, counted from 0.
    Redis(usize),
    /// To the coordination service.
    Coordinator(Coordinator),
    /// To the database.
    Database,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(server) => write!(f, "redis-{}", server + 1),
            Self::Coordinator(service) => fmt::Display::fmt(service, f),
            Self::Database => f.write_str("database"),
        }
    }
}

/// Links as a scenario names them: `redis`, `redis-2`, `redis-minority`, `redis-majority`, `etcd`,
/// `zookeeper`, `database`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSelector {
    /// To every Redis server.
    AllRedis,
    /// To one, counted from 0.
    Redis(usize),
    /// To the largest set of Redis servers without which a quorum is left.
    Minority,
    /// To the smallest set of Redis servers without which none is.
    Majority,
    /// To the coordination service.
    Coordinator(Coordinator),
    /// To the database.
    Database,
}

impl LinkSelector {
    /// What is at the other end.
    #[must_use]
    pub const fn kind(self) -> ServerKind {
        match self {
            Self::Database => ServerKind::Database,
            Self::Coordinator(_) => ServerKind::Coordinator,
            Self::AllRedis | Self::Redis(_) | Self::Minority | Self::Majority => ServerKind::Redis,
        }
    }

    /// The coordination service at the other end, where it is one.
    #[must_use]
    pub const fn coordinator(self) -> Option<Coordinator> {
        match self {
            Self::Coordinator(service) => Some(service),
            _ => None,
        }
    }

    /// Every spelling, for help texts and did-you-mean.
    pub const SPELLINGS: [&'static str; 7] =
        ["redis", "redis-1", "redis-minority", "redis-majority", "etcd", "zookeeper", "database"];

    /// The links that this names among `redis_servers` servers; empty when there is none such.
    #[must_use]
    pub fn resolve(self, redis_servers: usize) -> Vec<Link> {
        let quorum = redis_servers / 2 + 1;
        let first = |count: usize| (0..count).map(Link::Redis).collect();
        match self {
            Self::AllRedis => first(redis_servers),
            Self::Redis(server) if server < redis_servers => vec![Link::Redis(server)],
            Self::Redis(_) => Vec::new(),
            Self::Minority => first(redis_servers.saturating_sub(quorum)),
            Self::Majority if redis_servers == 0 => Vec::new(),
            Self::Majority => first(redis_servers - quorum + 1),
            Self::Coordinator(service) => vec![Link::Coordinator(service)],
            Self::Database => vec![Link::Database],
        }
    }
}

impl fmt::Display for LinkSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllRedis => f.write_str("redis"),
            Self::Redis(server) => write!(f, "redis-{}", server + 1),
            Self::Minority => f.write_str("redis-minority"),
            Self::Majority => f.write_str("redis-majority"),
            Self::Coordinator(service) => fmt::Display::fmt(service, f),
            Self::Database => f.write_str("database"),
        }
    }
}

/// The text names no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no link; available: redis, redis-1 …, redis-minority, redis-majority, etcd, zookeeper, database"
)]
pub struct ParseLinkError(String);

impl FromStr for LinkSelector {
    type Err = ParseLinkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbered = || {
            let number: usize = text.strip_prefix("redis-")?.parse().ok()?;
            number.checked_sub(1).map(Self::Redis)
        };
        let coordinator = || {
            let named = Coordinator::ALL.into_iter().find(|service| service.word() == text);
            named.map(Self::Coordinator)
        };
        match text {
            "redis" => Ok(Self::AllRedis),
            "redis-minority" => Ok(Self::Minority),
            "redis-majority" => Ok(Self::Majority),
            "database" => Ok(Self::Database),
            _ => coordinator().or_else(numbered).ok_or_else(|| ParseLinkError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minority_leaves_a_quorum_and_a_majority_does_not() {
        for servers in 1..=7 {
            let quorum = servers / 2 + 1;
            let left = |selector: LinkSelector| servers - selector.resolve(servers).len();
            assert_eq!(left(LinkSelector::Minority), quorum, "{servers} servers");
            assert_eq!(left(LinkSelector::Majority), quorum - 1, "{servers} servers");
        }
    }

    #[test]
    fn a_server_that_the_rig_lacks_resolves_to_nothing() {
        assert!(LinkSelector::Redis(5).resolve(5).is_empty());
        assert!("redis-0".parse::<LinkSelector>().is_err());
    }
}

//! What a scenario asks of a rig.

use std::fmt;
use std::time::Duration;

use lockproof_bookings::Layout;
use lockproof_locks::{Coordinator, LockSettings};
use serde::{Deserialize, Serialize};

use crate::{ServerEffect, ServerNeeds};

/// One cell's system under test.
#[derive(Clone, Debug)]
pub struct RigPlan {
    /// A word for file names and schemas: letters, digits and dashes.
    pub name: String,
    /// How many holders there are, each with a group of its own.
    pub holders: u32,
    /// How many Redis servers the lock runs on.
    pub redis_servers: usize,
    /// The coordination service that it runs on, where it does.
    pub coordinator: Option<Coordinator>,
    /// How the Redis servers belong together.
    pub topology: Topology,
    /// Which links faults will disturb.
    pub links: LinkUse,
    /// The lock's settings, of which the rig needs the key prefix.
    pub lock: LockSettings,
    /// What faults will ask of the Redis servers.
    pub needs: ServerNeeds,
    /// What is asked of the database.
    pub database: DatabasePlan,
    /// The tables.
    pub layout: Layout,
    /// Decides what toxics draw.
    pub seed: u64,
}

/// How holders reach the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkUse {
    /// Directly: no fault touches a link, so none pays for a proxy.
    Direct,
    /// Through one proxy per server, over a connection that the holders share.
    Shared,
    /// Through one proxy per holder and server, over a connection of the holder's own: faults tell holders apart.
    PerHolder,
}

/// How the Redis servers of a cell belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// They know nothing of each other.
    #[default]
    Independent,
    /// A primary and its replica, watched by a sentinel that promotes the one when the other is gone. A lock asks the
    /// sentinel which of them is the primary, and knows of one server.
    Sentinel,
    /// Three primaries that share the keys by hash slot. A lock speaks to all of them as to one server.
    Cluster,
}

impl Topology {
    /// Every spelling, in documentation order.
    pub const ALL: [Self; 3] = [Self::Independent, Self::Sentinel, Self::Cluster];

    /// As scenarios spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }

    /// How many servers faults can tell apart, where the topology says it and not the lock.
    #[must_use]
    pub const fn servers(self) -> Option<usize> {
        match self {
            Self::Independent => None,
            // The pair is one service: what is done is done to the primary of the moment.
            Self::Sentinel => Some(1),
            Self::Cluster => Some(3),
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What kind of database keeps the bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseEngine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
    /// Another.
    Mariadb,
}

impl DatabaseEngine {
    /// Every kind, in documentation order.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Mariadb];

    /// As scenarios and flags spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
        }
    }

    /// The one that is spelled so.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.word() == word)
    }

    /// Whether it is a server, with sessions, reached over a link that can be disturbed.
    #[must_use]
    pub const fn is_server(self) -> bool {
        !matches!(self, Self::Sqlite)
    }

    /// Whether a proxy can follow what is said to it, request by request.
    #[must_use]
    pub const fn is_followed(self) -> bool {
        matches!(self, Self::Postgres)
    }

    /// Why no server of that kind can suffer `effect`, where none can.
    #[must_use]
    pub const fn refuses(self, effect: ServerEffect) -> Option<&'static str> {
        match (self, effect) {
            (Self::Mariadb, ServerEffect::FillDisk) => {
                Some("a disk is filled under Postgres alone")
            }
            _ => None,
        }
    }

    /// Whether it can keep a session to this limit: MariaDB counts in whole seconds.
    #[must_use]
    pub const fn counts(self, limit: Duration) -> bool {
        !matches!(self, Self::Mariadb) || (limit.subsec_nanos() == 0 && limit.as_secs() > 0)
    }
}

impl fmt::Display for DatabaseEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a scenario asks of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabasePlan {
    /// Which kind; the provider's own choice where none is named.
    pub engine: Option<DatabaseEngine>,
    /// What faults will ask of its server. It is the cell's own then, since others would suffer with it.
    pub needs: Option<ServerNeeds>,
    /// Limits on the holders' sessions.
    pub limits: SessionLimits,
}

/// Limits that a server keeps sessions to, in whole milliseconds; none where the server's default stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLimits {
    /// `idle_in_transaction_session_timeout`, of MariaDB `idle_transaction_timeout`: it ends a session that says nothing inside a transaction for so long.
    pub idle_in_transaction: Option<Duration>,
    /// `lock_timeout`, of MariaDB `innodb_lock_wait_timeout`: it fails a statement that waits for a lock for so long.
    pub lock: Option<Duration>,
}

impl SessionLimits {
    /// Whether there is any.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.idle_in_transaction.is_some() || self.lock.is_some()
    }
}

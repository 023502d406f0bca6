//! Where live servers come from.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_model::ServerInfo;

use crate::RigError;
use crate::live::{embedded, process};

/// Every provider, in documentation order.
pub const PROVIDERS: &[ProviderEntry] = &[embedded::ENTRY, process::ENTRY];

/// The provider of that name.
#[must_use]
pub fn find_provider(name: &str) -> Option<&'static ProviderEntry> {
    PROVIDERS.iter().find(|entry| entry.name == name)
}

/// What the rest of the program knows of a provider.
#[derive(Clone, Copy, Debug)]
pub struct ProviderEntry {
    /// As `--provider` spells it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Whether its database is reached over a link that can be disturbed.
    pub database_link: bool,
    /// Makes one for a run.
    ///
    /// # Errors
    /// The machine lacks what it needs; the error says what, and how to get it.
    pub start: fn() -> Result<Arc<dyn Provider>, RigError>,
}

/// The servers of one run. Dropping it stops them.
pub trait Provider: Debug + Send + Sync {
    /// A Redis server of its own, empty.
    fn redis(&self) -> BoxFuture<'_, Result<RedisServer, RigError>>;

    /// A database of its own, empty, called after `name`.
    fn database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Database, RigError>>;
}

/// A Redis server that answers. Dropping it stops it.
#[derive(Debug)]
pub struct RedisServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is.
    pub info: ServerInfo,
    /// Whatever keeps it running.
    #[expect(dead_code, reason = "held for its Drop")]
    pub(super) alive: Box<dyn Debug + Send + Sync>,
}

/// Where the bookings go.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file of this name.
    Sqlite {
        /// Where.
        path: PathBuf,
    },
    /// A schema on a server.
    Postgres {
        /// Where it listens.
        address: SocketAddr,
        /// Whom to log in as.
        user: String,
        /// Which database of the cluster.
        database: String,
        /// The schema of the run's own.
        schema: String,
    },
}

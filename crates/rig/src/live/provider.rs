//! Where live servers come from.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{MariadbAddress, PostgresAddress};
use lockproof_locks::Coordinator;
use lockproof_model::{ServerInfo, ServerSetting};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::live::control::Control;
use crate::live::coordinator::CoordinatorServer;
use crate::live::group::RedisGroup;
use crate::live::sessions::{MariadbSessions, PostgresSessions, Sessions};
use crate::live::{container, embedded, external, process};
use crate::{
    DatabaseEngine, ExternalServers, Protocol, RigError, ServerEffect, ServerKind, ServerNeeds,
    Topology,
};

/// Every provider, in documentation order.
pub const PROVIDERS: &[ProviderEntry] =
    &[embedded::ENTRY, process::ENTRY, container::ENTRY, external::ENTRY];

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
    /// The databases that it has, the one that it takes unless told otherwise first.
    pub databases: &'static [DatabaseEngine],
    /// Why its servers of a kind cannot suffer an effect, where none of them can.
    pub refuses: fn(ServerKind, ServerEffect) -> Option<&'static str>,
    /// Why it has no Redis servers of a topology, where it has none.
    pub refuses_topology: fn(Topology) -> Option<&'static str>,
    /// Why it has no coordination service, where it has none.
    pub refuses_coordinators: Option<&'static str>,
    /// Why its Redis servers have no replicas that are asked for, where they have none. Those of others have what they have.
    pub refuses_replicas: Option<&'static str>,
    /// Whether its servers are there for others too: they are named by URLs, everything on them bears the run's
    /// name, and what would harm the others is asked for twice.
    pub shared: bool,
    /// Makes one for a run; the servers are those of a provider that is shared.
    ///
    /// # Errors
    /// The machine lacks what it needs, or a server cannot be used; the error says why, and what to do.
    pub start: fn(&ExternalServers) -> Result<Arc<dyn Provider>, RigError>,
}

impl ProviderEntry {
    /// The database of a run that asks for `asked`, or for none in particular.
    #[must_use]
    pub fn engine_of(&self, asked: Option<DatabaseEngine>) -> DatabaseEngine {
        asked.unwrap_or(self.databases[0])
    }

    /// Whether its database is a server, with sessions, reached over a link that can be disturbed.
    #[must_use]
    pub fn has_database_link(&self) -> bool {
        self.databases.iter().any(|engine| engine.is_server())
    }
}

/// The servers of one run. Dropping it stops them, or removes what the run left on those of others.
pub trait Provider: Debug + Send + Sync {
    /// Redis server number `number` of a cell, counted from 0: empty under the cell's prefix, and ready for what faults
    /// `need` of it.
    fn redis(
        &self,
        number: usize,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>>;

    /// The Redis servers of a cell that are one service.
    fn redis_group(
        &self,
        topology: Topology,
        _needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisGroup, RigError>> {
        let what = format!("this provider has no {topology}");
        std::future::ready(Err(RigError::new(what))).boxed()
    }

    /// The coordination service of a cell.
    fn coordinator(
        &self,
        service: Coordinator,
    ) -> BoxFuture<'_, Result<CoordinatorServer, RigError>> {
        let what = format!("this provider has no {service}; use --provider process");
        std::future::ready(Err(RigError::new(what))).boxed()
    }

    /// A database of its own, empty, called after `name`.
    fn database<'a>(
        &'a self,
        name: &'a str,
        engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>>;

    /// The same on a server that no other cell uses, ready for what faults `need` of it.
    fn own_database<'a>(
        &'a self,
        _name: &'a str,
        _engine: Option<DatabaseEngine>,
        _needs: ServerNeeds,
    ) -> BoxFuture<'a, Result<OwnDatabase, RigError>> {
        let what = "this provider has no database server that a fault could do something to";
        std::future::ready(Err(RigError::new(what))).boxed()
    }

    /// What the keys of the cell called `cell` begin with. Where each cell has servers of its own, one prefix does.
    fn key_prefix(&self, _cell: &str) -> String {
        "lockproof:".to_owned()
    }

    /// What whoever runs this should be told before it begins, a sentence each.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether its servers are somebody else's, so that one which is gone is no doing of the run's.
    fn shared(&self) -> bool {
        false
    }

    /// Removes what is left of the run on servers of others. Dropping it does the same, if it was not done, without a
    /// word of what stood in the way.
    ///
    /// # Errors
    /// Something is left all the same.
    fn end(&self) -> Result<(), RigError> {
        Ok(())
    }

    /// How many connections the database has to spare, where that is known and not many.
    fn spare_connections(&self) -> Option<usize> {
        None
    }
}

/// A Redis server that answers. Dropping it stops it, unless it is somebody else's.
#[derive(Debug)]
pub struct RedisServer {
    /// How it is reached.
    pub connection: ConnectionInfo,
    /// Where it listens, if a proxy can stand in for it.
    pub tcp: Option<SocketAddr>,
    /// What it is called, without a password.
    pub name: String,
    /// What it is.
    pub info: ServerInfo,
    /// Whether others use it too, so that keys have to be removed one by one.
    pub shared: bool,
    /// What faults can do to it; it keeps the server running, too.
    pub(super) control: Arc<dyn Control>,
}

impl RedisServer {
    /// A server of the run's own at `address`, kept running by `control`.
    pub(super) fn own(
        address: SocketAddr,
        info: ServerInfo,
        control: impl Control + 'static,
    ) -> Result<Self, RigError> {
        let addr = ConnectionAddr::Tcp(address.ip().to_string(), address.port());
        let connection = addr
            .into_connection_info()
            .map_err(|error| RigError::new("cannot address a Redis server").because(error))?;
        let (tcp, name, control) = (Some(address), format!("redis://{address}"), Arc::new(control));
        Ok(Self { connection, tcp, name, info, shared: false, control })
    }

    /// The same where no proxy can stand in for it, since others tell clients where it is.
    pub(super) fn without_proxy(self) -> Self {
        Self { tcp: None, ..self }
    }
}

/// Where the bookings go.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file of this name.
    Sqlite {
        /// Where.
        path: PathBuf,
        /// What there is to say of it.
        settings: Vec<ServerSetting>,
    },
    /// A schema on a server.
    Postgres {
        /// How it is reached.
        address: Box<PostgresAddress>,
        /// Where it listens, if a proxy can stand in for it.
        tcp: Option<SocketAddr>,
        /// The schema of the run's own.
        schema: String,
        /// What it is set to, where the run did not set it up.
        settings: Vec<ServerSetting>,
    },
    /// The same on a MariaDB, where a schema is called a database.
    Mariadb {
        /// How it is reached.
        address: Box<MariadbAddress>,
        /// Where it listens, if a proxy can stand in for it.
        tcp: Option<SocketAddr>,
        /// The schema of the run's own.
        schema: String,
        /// What it is set to, where the run did not set it up.
        settings: Vec<ServerSetting>,
    },
}

impl Database {
    /// What there is to say of it.
    pub(super) fn settings(&self) -> &[ServerSetting] {
        match self {
            Self::Sqlite { settings, .. }
            | Self::Postgres { settings, .. }
            | Self::Mariadb { settings, .. } => settings,
        }
    }

    /// Where it listens, if a proxy can stand in for it, and what is spoken there where a proxy can follow that.
    pub(super) fn tcp(&self) -> Option<(SocketAddr, Option<Protocol>)> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { tcp, .. } => Some(((*tcp)?, Some(Protocol::Postgres))),
            Self::Mariadb { tcp, .. } => Some(((*tcp)?, None)),
        }
    }

    /// The holders' sessions, where it has any.
    pub(super) fn sessions(&self) -> Option<Sessions> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { address, schema, .. } => {
                let address = PostgresAddress::clone(address);
                Some(Sessions::Postgres(Box::new(PostgresSessions::new(address, schema))))
            }
            Self::Mariadb { address, schema, .. } => {
                let address = MariadbAddress::clone(address);
                Some(Sessions::Mariadb(MariadbSessions::new(address, schema)))
            }
        }
    }
}

/// A database on a server of its own. Dropping it stops the server.
#[derive(Debug)]
pub struct OwnDatabase {
    /// Where the bookings go.
    pub database: Database,
    /// What faults can do to the server; it keeps the server running, too.
    pub(super) control: Arc<dyn Control>,
}

//! Provider `embedded`: what needs nothing installed.
//!
//! The redis model behind real loopback sockets, and SQLite in a temporary file.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::ServerInfo;
use tokio::net::TcpListener;

use super::background::Background;
use super::embedded_server::EmbeddedServer;
use super::provider::{Database, Provider, ProviderEntry, RedisServer};
use super::workspace::Workspace;
use crate::{DatabaseEngine, Keeps, RigError, ServerEffect, ServerKind, ServerNeeds, Topology};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "embedded",
    summary: "the redis model over loopback and SQLite in a temporary file; needs nothing installed",
    databases: &[DatabaseEngine::Sqlite],
    refuses: |kind, effect| match (kind, effect) {
        (ServerKind::Database, _) => Some("its database is a file and no server"),
        (ServerKind::Coordinator, _) => Some("it has no coordination service"),
        (_, ServerEffect::Crash { keeps: Keeps::EverySecond }) => {
            Some("its model has no append-only file")
        }
        (_, ServerEffect::Failover { .. }) => Some("its model has no replica"),
        _ => None,
    },
    refuses_topology: |topology| {
        (topology != Topology::Independent).then_some("its model is one server")
    },
    refuses_coordinators: Some("there is no model of one"),
    refuses_replicas: None,
    shared: false,
    start: |_| Ok(Arc::new(Embedded::start()?)),
};

#[derive(Debug)]
struct Embedded {
    background: Arc<Background>,
    workspace: Workspace,
}

impl Embedded {
    fn start() -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up the embedded servers").because(error);
        let workspace = Workspace::create().map_err(cannot)?;
        Ok(Self { background: Arc::new(Background::start().map_err(cannot)?), workspace })
    }
}

impl Provider for Embedded {
    fn redis(
        &self,
        _number: usize,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        async move {
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let listener = self.background.run(TcpListener::bind(anywhere)).await;
            let cannot = |error| RigError::new("cannot listen on loopback").because(error);
            let listener = listener.map_err(cannot)?;
            let address = listener.local_addr().map_err(cannot)?;
            let server = EmbeddedServer::start(&self.background, address, listener, needs);
            RedisServer::own(address, info(), server)
        }
        .boxed()
    }

    fn database<'a>(
        &'a self,
        name: &'a str,
        _engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            let directory = self.workspace.directory(name).map_err(|error| {
                RigError::new("cannot make a directory for the database").because(error)
            })?;
            Ok(Database::Sqlite { path: directory.join("bookings.sqlite"), settings: Vec::new() })
        }
        .boxed()
    }
}

fn info() -> ServerInfo {
    ServerInfo::new("embedded redis model", env!("CARGO_PKG_VERSION"))
}

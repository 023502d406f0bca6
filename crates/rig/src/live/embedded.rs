//! Provider `embedded`: what needs nothing installed.
//!
//! The redis model behind real loopback sockets, and SQLite in a temporary file.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::live::wall_clock_ns;
use lockproof_model::ServerInfo;
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve_connection};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::background::Background;
use super::provider::{Database, Provider, ProviderEntry, RedisServer};
use super::workspace::Workspace;
use crate::RigError;

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "embedded",
    summary: "the redis model over loopback and SQLite in a temporary file; needs nothing installed",
    database_link: false,
    shared: false,
    start: |_| Ok(Arc::new(Embedded::start()?)),
};

#[derive(Debug)]
struct Embedded {
    background: Background,
    workspace: Workspace,
}

impl Embedded {
    fn start() -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up the embedded servers").because(error);
        let workspace = Workspace::create().map_err(cannot)?;
        Ok(Self { background: Background::start().map_err(cannot)?, workspace })
    }
}

impl Provider for Embedded {
    fn redis(&self, _number: usize) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        async move {
            let listener = self.background.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await;
            let cannot = |error| RigError::new("cannot listen on loopback").because(error);
            let listener = listener.map_err(cannot)?;
            let address = listener.local_addr().map_err(cannot)?;
            let mut acceptor = JoinSet::new();
            acceptor.spawn_on(serve(listener), self.background.handle());
            RedisServer::own(address, info(), acceptor)
        }
        .boxed()
    }

    fn database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Database, RigError>> {
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

/// Accepts until it is dropped; its connections end with it.
async fn serve(listener: TcpListener) {
    let server = SharedServer::new(Server::new(Options::default()));
    let mut connections = JoinSet::new();
    while let Ok((stream, _peer)) = accept(&listener, &mut connections).await {
        // Nagle would let a reply wait for the next request's acknowledgement.
        drop(stream.set_nodelay(true));
        let clock = || WallClock::from_unix_nanos(wall_clock_ns());
        let server = server.clone();
        connections.spawn(async move { drop(serve_connection(stream, server, clock).await) });
    }
}

/// The next client, taking ended connections off the set meanwhile.
async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
) -> std::io::Result<(tokio::net::TcpStream, SocketAddr)> {
    while connections.try_join_next().is_some() {}
    listener.accept().await
}

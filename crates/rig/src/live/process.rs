//! Provider `process`: redis-server and Postgres found on this machine, started for the run.
//!
//! Each cell gets redis-servers of its own; the Postgres cluster is made once, by `initdb` in a temporary directory,
//! and each cell gets a schema of its own in it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use super::children::Spawner;
use super::postgres::Cluster;
use super::provider::{Database, Provider, ProviderEntry, RedisServer};
use super::redis_server;
use super::workspace::Workspace;
use crate::{RigError, ServerNeeds};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "process",
    summary: "redis-server and Postgres found on this machine, started on free ports",
    database_link: true,
    refuses: |_| None,
    shared: false,
    start: |_| Ok(Arc::new(Processes::start()?)),
};

/// Fields drop in this order: servers before the thread whose end would signal them, directories last.
#[derive(Debug)]
struct Processes {
    cluster: OnceCell<Cluster>,
    spawner: Arc<Spawner>,
    workspace: Arc<Workspace>,
}

impl Processes {
    fn start() -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up server processes").because(error);
        let workspace = Arc::new(Workspace::create().map_err(cannot)?);
        let spawner = Arc::new(Spawner::start().map_err(cannot)?);
        Ok(Self { cluster: OnceCell::new(), spawner, workspace })
    }
}

impl Provider for Processes {
    fn redis(
        &self,
        _number: usize,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        redis_server::start(&self.spawner, &self.workspace, needs).boxed()
    }

    fn database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            let start = || Cluster::start(&self.spawner, &self.workspace);
            Ok(self.cluster.get_or_try_init(start).await?.database(name))
        }
        .boxed()
    }
}

//! Provider `process`: redis-server and Postgres found on this machine, started for the run.
//!
//! Each cell gets redis-servers of its own; the Postgres cluster is made once, by `initdb` in a temporary directory,
//! and each cell gets a schema of its own in it; one whose faults
//! would do something to the whole cluster gets a cluster of its own.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use super::children::Spawner;
use super::group::RedisGroup;
use super::postgres::Cluster;
use super::provider::{Database, OwnDatabase, Provider, ProviderEntry, RedisServer};
use super::workspace::Workspace;
use super::{redis_cluster, redis_server, sentinel, small_disk};
use crate::{RigError, ServerEffect, ServerKind, ServerNeeds, Topology};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "process",
    summary: "redis-server and Postgres found on this machine, started on free ports",
    database_link: true,
    engine: "postgres",
    refuses: |kind, effect| match (kind, effect) {
        (ServerKind::Database, ServerEffect::FillDisk) => small_disk::refusal(),
        _ => None,
    },
    refuses_topology: |_| None,
    refuses_replicas: None,
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

    fn redis_group(
        &self,
        topology: Topology,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisGroup, RigError>> {
        async move {
            match topology {
                Topology::Sentinel => sentinel::start(&self.spawner, &self.workspace, needs).await,
                Topology::Cluster => {
                    redis_cluster::start(&self.spawner, &self.workspace, needs).await
                }
                Topology::Independent => {
                    Err(RigError::new("independent servers are asked for one by one"))
                }
            }
        }
        .boxed()
    }

    fn database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            let needs = ServerNeeds::default();
            let start = || Cluster::start(&self.spawner, &self.workspace, needs);
            Ok(self.cluster.get_or_try_init(start).await?.database(name))
        }
        .boxed()
    }

    fn own_database<'a>(
        &'a self,
        name: &'a str,
        needs: ServerNeeds,
    ) -> BoxFuture<'a, Result<OwnDatabase, RigError>> {
        async move {
            let cluster = Cluster::start(&self.spawner, &self.workspace, needs).await?;
            let database = cluster.database(name);
            Ok(OwnDatabase { database, control: Arc::new(cluster.controlled()?) })
        }
        .boxed()
    }
}

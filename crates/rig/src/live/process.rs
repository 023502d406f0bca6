//! Provider `process`: redis-server, etcd, `ZooKeeper`, Postgres and `MariaDB` found on this machine, started for the run.
//!
//! Each cell gets redis-servers of its own, or a coordination service; the Postgres cluster is made once, by `initdb` in a
//! temporary directory, and so is a `MariaDB` by `mariadb-install-db`, where one is asked for. Each cell gets a schema of
//! its own in it; one whose faults would do something to the whole server gets a server of its own.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::Coordinator;
use tokio::sync::OnceCell;

use super::children::Spawner;
use super::coordinator::CoordinatorServer;
use super::group::RedisGroup;
use super::postgres::Cluster;
use super::provider::{Database, OwnDatabase, Provider, ProviderEntry, RedisServer};
use super::workspace::Workspace;
use super::{coordinator, mariadb, redis_cluster, redis_server, sentinel, small_disk};
use crate::{DatabaseEngine, RigError, ServerEffect, ServerKind, ServerNeeds, Topology};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "process",
    summary: "redis-server, etcd, ZooKeeper, Postgres and MariaDB found on this machine, started on free ports",
    databases: &[DatabaseEngine::Postgres, DatabaseEngine::Mariadb],
    refuses: |kind, effect| match (kind, effect) {
        (ServerKind::Database, ServerEffect::FillDisk) => small_disk::refusal(),
        (ServerKind::Coordinator, effect) => coordinator::refusal(effect),
        _ => None,
    },
    refuses_topology: |_| None,
    refuses_coordinators: None,
    refuses_replicas: None,
    shared: false,
    start: |_| Ok(Arc::new(Processes::start()?)),
};

/// Fields drop in this order: servers before the thread whose end would signal them, directories last.
#[derive(Debug)]
struct Processes {
    cluster: OnceCell<Cluster>,
    mariadb: OnceCell<mariadb::Server>,
    spawner: Arc<Spawner>,
    workspace: Arc<Workspace>,
}

impl Processes {
    fn start() -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up server processes").because(error);
        let workspace = Arc::new(Workspace::create().map_err(cannot)?);
        let spawner = Arc::new(Spawner::start().map_err(cannot)?);
        let (cluster, mariadb) = (OnceCell::new(), OnceCell::new());
        Ok(Self { cluster, mariadb, spawner, workspace })
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

    fn coordinator(
        &self,
        service: Coordinator,
    ) -> BoxFuture<'_, Result<CoordinatorServer, RigError>> {
        coordinator::start(service, &self.spawner, &self.workspace).boxed()
    }

    fn database<'a>(
        &'a self,
        name: &'a str,
        engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            let (spawner, workspace) = (&self.spawner, &self.workspace);
            let needs = ServerNeeds::default();
            match chosen(engine)? {
                Server::Postgres => {
                    let start = || Cluster::start(spawner, workspace, needs);
                    Ok(self.cluster.get_or_try_init(start).await?.database(name))
                }
                Server::Mariadb => {
                    let start = || mariadb::Server::start(spawner, workspace, needs);
                    Ok(self.mariadb.get_or_try_init(start).await?.database(name))
                }
            }
        }
        .boxed()
    }

    fn own_database<'a>(
        &'a self,
        name: &'a str,
        engine: Option<DatabaseEngine>,
        needs: ServerNeeds,
    ) -> BoxFuture<'a, Result<OwnDatabase, RigError>> {
        async move {
            let (spawner, workspace) = (&self.spawner, &self.workspace);
            let (database, control) = match chosen(engine)? {
                Server::Postgres => {
                    let cluster = Cluster::start(spawner, workspace, needs).await?;
                    (cluster.database(name), cluster.controlled()?)
                }
                Server::Mariadb => {
                    let server = mariadb::Server::start(spawner, workspace, needs).await?;
                    (server.database(name), server.controlled()?)
                }
            };
            Ok(OwnDatabase { database, control: Arc::new(control) })
        }
        .boxed()
    }
}

/// What it starts.
enum Server {
    Postgres,
    Mariadb,
}

fn chosen(engine: Option<DatabaseEngine>) -> Result<Server, RigError> {
    match engine {
        None | Some(DatabaseEngine::Postgres) => Ok(Server::Postgres),
        Some(DatabaseEngine::Mariadb) => Ok(Server::Mariadb),
        Some(DatabaseEngine::Sqlite) => Err(RigError::new("this provider has no SQLite")),
    }
}

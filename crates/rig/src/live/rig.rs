//! The rig of real sockets, servers and time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{BookingStore, PostgresStore, SchemaName, SqliteStore};
use lockproof_env::{Env, Group};
use lockproof_locks::{Backends, SharedConnections};
use lockproof_model::{DriverSetting, HolderId, LockLeft, LockName, ServerInfo};

use redis::IntoConnectionInfo;

use super::links::Links;
use super::provider::{Database, Provider, RedisServer};
use crate::{
    Disturbance, Expired, Link, LinkEffect, LinkUse, Rig, RigError, RigPlan, ServerEffect, System,
};

/// One cell's servers, links and holders. Dropping it stops what is the cell's own.
#[derive(Debug)]
pub struct LiveRig {
    plan: RigPlan,
    groups: BTreeMap<HolderId, Group>,
    backends: Arc<SharedConnections>,
    links: Arc<Links>,
    store: Arc<dyn BookingStore>,
    redis: Vec<RedisServer>,
    infos: Vec<ServerInfo>,
}

impl LiveRig {
    /// Starts what `plan` asks for, with servers from `provider`, and makes the tables.
    ///
    /// # Errors
    /// A server could not be started or reached.
    ///
    /// # Cancel safety
    /// Dropped, everything that was started is stopped.
    pub async fn start(
        env: &Env,
        provider: &dyn Provider,
        plan: RigPlan,
    ) -> Result<Self, RigError> {
        let holders: Vec<_> = (1..=plan.holders).map(HolderId).collect();
        let mut redis = Vec::with_capacity(plan.redis_servers);
        for _ in 0..plan.redis_servers {
            redis.push(provider.redis().await?);
        }
        let database = provider.database(&plan.name).await?;
        let links = Links::lay(addresses(&redis, &database), plan.links, &holders, plan.seed);
        let links = Arc::new(links.await?);
        let store = open_store(env, database, &links)?;
        store
            .create(plan.layout)
            .await
            .map_err(|error| RigError::new("cannot make the booking tables").because(error))?;
        let mut infos = Vec::new();
        if let Some(first) = redis.first() {
            infos.push(ServerInfo { count: count(redis.len()), ..first.info.clone() });
        }
        infos.push(database_info(store.as_ref()).await?);
        let backends = Arc::new(connections(env, &links, &plan));
        let groups = holders.into_iter().map(|holder| (holder, Group::new())).collect();
        Ok(Self { plan, groups, backends, links, store, redis, infos })
    }
}

impl System for LiveRig {
    fn as_rig(self: Arc<Self>) -> Arc<dyn Rig> {
        self
    }

    fn backends(&self) -> Arc<dyn Backends> {
        Arc::clone(&self.backends) as Arc<dyn Backends>
    }

    fn store(&self) -> Arc<dyn BookingStore> {
        Arc::clone(&self.store)
    }

    fn groups(&self) -> Vec<Group> {
        self.groups.values().cloned().collect()
    }

    fn servers(&self) -> Vec<ServerInfo> {
        self.infos.clone()
    }

    fn drivers(&self) -> Vec<DriverSetting> {
        let mut settings =
            if self.redis.is_empty() { Vec::new() } else { SharedConnections::driver_settings() };
        settings.extend(self.store.driver_settings());
        settings
    }

    fn locks_left(&self) -> Vec<LockLeft> {
        Vec::new()
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), RigError>> {
        async {
            let dropped = self.store.drop_tables().await;
            dropped.map_err(|error| RigError::new("cannot drop the booking tables").because(error))
        }
        .boxed()
    }
}

impl Rig for LiveRig {
    fn redis_servers(&self) -> usize {
        self.redis.len()
    }

    fn group(&self, holder: HolderId) -> Option<Group> {
        self.groups.get(&holder).cloned()
    }

    fn holders(&self) -> Vec<HolderId> {
        self.groups.keys().copied().collect()
    }

    fn disturb(
        &self,
        links: &[Link],
        holders: &[HolderId],
        effect: LinkEffect,
    ) -> Result<Box<dyn Disturbance>, RigError> {
        Ok(Box::new(self.links.disturb(links, holders, effect)?))
    }

    fn afflict(
        &self,
        _servers: &[usize],
        _effect: ServerEffect,
    ) -> Result<Box<dyn Disturbance>, RigError> {
        Err(RigError::new("the live world's servers cannot suffer this yet; run it simulated"))
    }

    fn expire_lock<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>> {
        async move {
            let key = self.plan.lock.redis_key(lock);
            let mut held_on = 0;
            for server in &self.redis {
                let deleted = delete(server, &key).await;
                held_on += deleted.map_err(|error| {
                    RigError::new(format!("cannot drop a lock on {}", server.address))
                        .because(error)
                })?;
            }
            Ok(Expired { held_on, servers: self.redis.len() })
        }
        .boxed()
    }
}

/// The lock's connections, over the links; one each where faults tell holders apart.
fn connections(env: &Env, links: &Arc<Links>, plan: &RigPlan) -> SharedConnections {
    let links = Arc::clone(links);
    let connections =
        SharedConnections::new(env.clone(), plan.redis_servers, move |server, holder| {
            let address = links.address(Link::Redis(server), holder);
            let address = address.expect("locks ask for no server beyond redis_servers()");
            format!("redis://{address}").into_connection_info()
        });
    match plan.links {
        LinkUse::PerHolder => connections.one_per_holder(),
        LinkUse::Direct | LinkUse::Shared => connections,
    }
}

/// Straight to the server: a fault is not itself subject to faults on links.
async fn delete(server: &RedisServer, key: &str) -> redis::RedisResult<usize> {
    let client = redis::Client::open(format!("redis://{}", server.address))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd("DEL").arg(key).query_async(&mut connection).await
}

fn addresses(redis: &[RedisServer], database: &Database) -> BTreeMap<Link, std::net::SocketAddr> {
    let mut addresses: BTreeMap<_, _> =
        redis.iter().enumerate().map(|(n, server)| (Link::Redis(n), server.address)).collect();
    if let Database::Postgres { address, .. } = database {
        addresses.insert(Link::Database, *address);
    }
    addresses
}

fn open_store(
    env: &Env,
    database: Database,
    links: &Arc<Links>,
) -> Result<Arc<dyn BookingStore>, RigError> {
    Ok(match database {
        Database::Sqlite { path } => Arc::new(SqliteStore::new(env.clone(), path)),
        Database::Postgres { address, user, database, schema } => {
            let config = move |address: std::net::SocketAddr| {
                let mut config = tokio_postgres::Config::new();
                config.host(address.ip().to_string()).port(address.port());
                config.user(&user).dbname(&database);
                // On purpose, since the driver's defaults wait for ever for a connection and two hours for a dead peer.
                config.connect_timeout(Duration::from_secs(10));
                config.keepalives_idle(Duration::from_secs(30));
                config.tcp_user_timeout(Duration::from_secs(30));
                config
            };
            let schema = schema
                .parse::<SchemaName>()
                .map_err(|error| RigError::new("cannot name the run's schema").because(error))?;
            let (judge, links) = (config(address), Arc::clone(links));
            Arc::new(PostgresStore::new(schema, judge, move |holder| {
                config(links.address(Link::Database, holder).unwrap_or(address))
            }))
        }
    })
}

async fn database_info(store: &dyn BookingStore) -> Result<ServerInfo, RigError> {
    let version = store
        .version()
        .await
        .map_err(|error| RigError::new("cannot ask the database for its version").because(error))?;
    Ok(ServerInfo { kind: store.engine().to_owned(), version, count: 1 })
}

fn count(servers: usize) -> u32 {
    u32::try_from(servers).unwrap_or(u32::MAX)
}

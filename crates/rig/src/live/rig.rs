//! The rig of real sockets, servers and time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{BookingStore, PostgresAddress, PostgresStore, SchemaName, SqliteStore};
use lockproof_env::{Env, Group};
use lockproof_locks::{Backends, SharedConnections};
use lockproof_model::{DriverSetting, HolderId, LockLeft, LockName, ServerInfo, ServerSetting};
use redis::ConnectionAddr;

use super::control;
use super::links::Links;
use super::provider::{Database, Provider, RedisServer};
use super::straight::{self, remove_keys};
use crate::{
    Affliction, Disturbance, Expired, Link, LinkEffect, LinkUse, Rig, RigError, RigPlan,
    ServerEffect, System,
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
        for number in 0..plan.redis_servers {
            redis.push(provider.redis(number, plan.needs).await?);
        }
        let database = provider.database(&plan.name).await?;
        let links = Links::lay(addresses(&redis, &database), plan.links, &holders, plan.seed);
        let links = Arc::new(links.await?);
        let (store, settings) = open_store(env, database, &links)?;
        store
            .create(plan.layout)
            .await
            .map_err(|error| RigError::new("cannot make the booking tables").because(error))?;
        let mut infos = counted(&redis);
        infos.push(ServerInfo { settings, ..database_info(store.as_ref()).await? });
        let backends = Arc::new(connections(env, &links, &plan, &redis));
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
            let mut cleared = Ok(());
            for server in self.redis.iter().filter(|server| server.shared) {
                let removed = remove_keys(&server.connection, &self.plan.lock.key_prefix).await;
                cleared = cleared.and(removed.map(drop).map_err(|error| {
                    let what = format!("cannot remove the cell's keys from {}", server.name);
                    RigError::new(what).because(error.to_string())
                }));
            }
            let dropped = self.store.drop_tables().await;
            cleared.and(
                dropped.map_err(|error| {
                    RigError::new("cannot drop the booking tables").because(error)
                }),
            )
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
        Ok(Box::new(self.links.disturb(links, holders, &effect)?))
    }

    fn afflict<'a>(
        &'a self,
        servers: &'a [usize],
        effect: ServerEffect,
    ) -> BoxFuture<'a, Result<Box<dyn Affliction>, RigError>> {
        let chosen = servers.iter().filter_map(|&number| {
            Some((Link::Redis(number), Arc::clone(&self.redis.get(number)?.control)))
        });
        control::afflict(chosen.collect(), effect).boxed()
    }

    fn expire_lock<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>> {
        async move {
            let key = self.plan.lock.redis_key(lock);
            let mut held_on = 0;
            for server in &self.redis {
                let deleted = delete(server, &key).await;
                held_on += deleted.map_err(|error| {
                    RigError::new(format!("cannot drop a lock on {}", server.name)).because(error)
                })?;
            }
            Ok(Expired { held_on, servers: self.redis.len() })
        }
        .boxed()
    }
}

/// The lock's connections, over the links; one each where faults tell holders apart.
fn connections(
    env: &Env,
    links: &Arc<Links>,
    plan: &RigPlan,
    redis: &[RedisServer],
) -> SharedConnections {
    let links = Arc::clone(links);
    let servers: Vec<_> = redis.iter().map(|server| server.connection.clone()).collect();
    let connections =
        SharedConnections::new(env.clone(), plan.redis_servers, move |server, holder| {
            let straight = servers[server].clone();
            Ok(match links.proxy(Link::Redis(server), holder) {
                None => straight,
                Some(proxy) => {
                    straight.set_addr(ConnectionAddr::Tcp(proxy.ip().to_string(), proxy.port()))
                }
            })
        });
    match plan.links {
        LinkUse::PerHolder => connections.one_per_holder(),
        LinkUse::Direct | LinkUse::Shared => connections,
    }
}

/// Straight to the server: a fault is not itself subject to faults on links.
async fn delete(server: &RedisServer, key: &str) -> redis::RedisResult<usize> {
    let mut connection = straight::dial(&server.connection).await?;
    redis::cmd("DEL").arg(key).query_async(&mut connection).await
}

fn addresses(redis: &[RedisServer], database: &Database) -> BTreeMap<Link, SocketAddr> {
    let servers = redis.iter().enumerate();
    let mut addresses: BTreeMap<_, _> =
        servers.filter_map(|(n, server)| Some((Link::Redis(n), server.tcp?))).collect();
    if let Database::Postgres { tcp: Some(address), .. } = database {
        addresses.insert(Link::Database, *address);
    }
    addresses
}

fn open_store(
    env: &Env,
    database: Database,
    links: &Arc<Links>,
) -> Result<(Arc<dyn BookingStore>, Vec<ServerSetting>), RigError> {
    Ok(match database {
        Database::Sqlite { path, settings } => {
            (Arc::new(SqliteStore::new(env.clone(), path)), settings)
        }
        Database::Postgres { mut address, schema, settings, .. } => {
            let config = address.config_mut();
            // On purpose, since the driver's defaults wait for ever for a connection and two hours for a dead peer.
            // What a URL says of it stands.
            if config.get_connect_timeout().is_none() {
                config.connect_timeout(Duration::from_secs(10));
            }
            if config.get_tcp_user_timeout().is_none() {
                config.tcp_user_timeout(Duration::from_secs(30));
            }
            config.keepalives_idle(Duration::from_secs(30));
            let schema = schema
                .parse::<SchemaName>()
                .map_err(|error| RigError::new("cannot name the run's schema").because(error))?;
            let (judge, links) = (PostgresAddress::clone(&address), Arc::clone(links));
            let store = PostgresStore::new(schema, judge, move |holder| {
                match links.proxy(Link::Database, holder) {
                    None => PostgresAddress::clone(&address),
                    Some(proxy) => address.by_way_of(proxy),
                }
            });
            (Arc::new(store), settings)
        }
    })
}

async fn database_info(store: &dyn BookingStore) -> Result<ServerInfo, RigError> {
    let version = store
        .version()
        .await
        .map_err(|error| RigError::new("cannot ask the database for its version").because(error))?;
    Ok(ServerInfo::new(store.engine(), version))
}

/// Each kind of server once, with how many there are of it.
fn counted(servers: &[RedisServer]) -> Vec<ServerInfo> {
    let mut infos: Vec<ServerInfo> = Vec::new();
    for RedisServer { info, .. } in servers {
        let same = |known: &&mut ServerInfo| {
            (&known.kind, &known.version, &known.settings)
                == (&info.kind, &info.version, &info.settings)
        };
        match infos.iter_mut().find(same) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => infos.push(ServerInfo { count: 1, ..info.clone() }),
        }
    }
    infos
}

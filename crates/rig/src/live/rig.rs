//! The rig of real sockets, servers and time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::BookingStore;
use lockproof_env::{Env, Group};
use lockproof_locks::{Backends, SharedConnections};
use lockproof_model::{DriverSetting, HolderId, LockLeft, LockName, OwnerValue, ServerInfo};
use redis::{ConnectionAddr, ConnectionInfo};
use serde::de::DeserializeOwned;

use super::adapters::{AdapterAffliction, Adapters, WithAdapters};
use super::control::{self, Control};
use super::coordinator::{self, CoordinatorBackends, CoordinatorServer, CoordinatorView};
use super::drivers::{DriverEntry, usual_driver};
use super::group::{GroupBackends, GroupWay, RedisGroup};
use super::holders::{HolderProcess, HolderProcesses, HolderProgram};
use super::links::Links;
use super::places::{Places, open_store};
use super::provider::{Database, OwnDatabase, Provider, RedisServer};
use super::service::{Room, ServicePlaces};
use super::sessions::Sessions;
use super::straight::{self, remove_keys, strings_under};
use crate::database_locks::{self, WithDatabase};
use crate::holders::afflict_tasks;
use crate::{
    Adapter, Affliction, Disturbance, Expired, HolderAffliction, HolderEffect, Link, LinkEffect,
    LinkUse, Protocol, Rig, RigError, RigPlan, ServerEffect, System, Topology,
};

/// Who makes the booking tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// The rig.
    Ours,
    /// A service, which is what is put to the test.
    Theirs(Room),
}

/// One cell's servers, links and holders. Dropping it stops what is the cell's own.
#[derive(Debug)]
pub struct LiveRig {
    plan: RigPlan,
    driver: &'static DriverEntry,
    tables: Tables,
    groups: BTreeMap<HolderId, Group>,
    /// Where they are no tasks. Before the servers, so that nobody is left who could ask them.
    processes: Option<HolderProcesses>,
    /// Where the lock is one that programs speak for. Theirs are below the holders' processes, where there are any.
    adapters: Option<Arc<Adapters>>,
    backends: Arc<dyn Backends>,
    /// Where the Redis servers are one service to a lock.
    group: Option<Arc<GroupBackends>>,
    links: Arc<Links>,
    store: Arc<dyn BookingStore>,
    database: Database,
    sessions: Option<Sessions>,
    redis: Vec<RedisServer>,
    coordinator: Option<CoordinatorServer>,
    /// For looking at what the servers hold.
    env: Env,
    /// Where the database is the cell's own.
    own_database: Option<Arc<dyn Control>>,
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
        Self::start_with_driver(env, provider, plan, usual_driver()).await
    }

    /// The same for a service that makes tables of its own: what is started is empty.
    ///
    /// # Errors
    /// A server could not be started or reached.
    ///
    /// # Cancel safety
    /// Dropped, everything that was started is stopped.
    pub async fn start_for_service(
        env: &Env,
        provider: &dyn Provider,
        plan: RigPlan,
    ) -> Result<Self, RigError> {
        let room = if provider.shared() { Room::Schema } else { Room::Database };
        Self::stand_up(env, provider, plan, usual_driver(), Tables::Theirs(room)).await
    }

    /// The same, with `driver` between the lock and its servers.
    ///
    /// # Errors
    /// A server could not be started or reached.
    ///
    /// # Cancel safety
    /// Dropped, everything that was started is stopped.
    pub async fn start_with_driver(
        env: &Env,
        provider: &dyn Provider,
        plan: RigPlan,
        driver: &'static DriverEntry,
    ) -> Result<Self, RigError> {
        Self::stand_up(env, provider, plan, driver, Tables::Ours).await
    }

    async fn stand_up(
        env: &Env,
        provider: &dyn Provider,
        plan: RigPlan,
        driver: &'static DriverEntry,
        tables: Tables,
    ) -> Result<Self, RigError> {
        let holders: Vec<_> = (1..=plan.holders).map(HolderId).collect();
        let (redis, way) = redis_servers(provider, &plan).await?;
        let coordinator = match plan.coordinator {
            Some(service) => Some(provider.coordinator(service).await?),
            None => None,
        };
        let (database, control) = match plan.database.needs {
            None => (provider.database(&plan.name, plan.database.engine).await?, None),
            Some(needs) => {
                let OwnDatabase { database, control } =
                    provider.own_database(&plan.name, plan.database.engine, needs).await?;
                (database, Some(control))
            }
        };
        let sessions = database.sessions();
        let links = Links::lay(
            addresses(&redis, coordinator.as_ref(), &database),
            plan.links,
            &holders,
            plan.seed,
        );
        let links = Arc::new(links.await?);
        let (settings, ways) = (database.settings().to_vec(), Arc::clone(&links));
        let proxy = move |holder| ways.proxy(Link::Database, holder);
        let store = open_store(env, database.clone(), plan.database.limits, proxy)?;
        match tables {
            Tables::Ours => store
                .create(plan.layout)
                .await
                .map_err(|error| RigError::new("cannot make the booking tables").because(error))?,
            Tables::Theirs(room) => make_room(&database, room).await?,
        }
        let mut infos = counted(&redis);
        infos.extend(coordinator.as_ref().map(|server| server.info.clone()));
        infos.push(ServerInfo { settings, ..database_info(store.as_ref()).await? });
        let group = way.map(|way| Arc::new(GroupBackends::new(way)));
        let backends: Arc<dyn Backends> = match (&group, &coordinator) {
            (Some(group), _) => Arc::clone(group) as _,
            (None, Some(server)) => Arc::new(to_coordinator(&links, server)),
            (None, None) => Arc::new(connections(env, &links, &plan, &redis, driver)),
        };
        let backends: Arc<dyn Backends> = if plan.redis_servers == 0 {
            Arc::new(WithDatabase { servers: backends, store: Arc::clone(&store) })
        } else {
            backends
        };
        let groups = holders.into_iter().map(|holder| (holder, Group::new())).collect();
        Ok(Self {
            plan,
            driver,
            tables,
            groups,
            processes: None,
            adapters: None,
            backends,
            group,
            links,
            store,
            database,
            sessions,
            redis,
            coordinator,
            env: env.clone(),
            own_database: control,
            infos,
        })
    }

    /// The same rig with its holders as processes of their own, started as `program`; what is seen of them is stamped by
    /// the clock of `env`.
    ///
    /// # Errors
    /// The thread that starts them cannot be started.
    pub fn with_processes(self, env: &Env, program: HolderProgram) -> Result<Self, RigError> {
        let processes = HolderProcesses::prepare(env, program, &self.groups).map_err(|error| {
            RigError::new("cannot start the thread that starts holders").because(error)
        })?;
        Ok(Self { processes: Some(processes), ..self })
    }

    /// The same rig with programs that speak for its lock, one per holder, each told of the holder's own links.
    ///
    /// # Errors
    /// The thread that starts them cannot be started.
    pub fn with_adapter(self, env: &Env, adapter: Adapter) -> Result<Self, RigError> {
        let links = Arc::clone(&self.links);
        let straight: Vec<_> = self.redis.iter().map(|server| server.connection.clone()).collect();
        let servers = move |holder| {
            let numbered = straight.iter().enumerate();
            numbered.map(|(n, to)| place(&links, Link::Redis(n), to, holder)).collect()
        };
        let adapters = Adapters::prepare(env, adapter, servers)?;
        let servers = Arc::clone(&self.backends);
        let backends = WithAdapters { servers, adapters: Arc::clone(&adapters) };
        Ok(Self { adapters: Some(adapters), backends: Arc::new(backends), ..self })
    }

    /// Starts a process for `holder`, which is to say `T`s.
    ///
    /// # Errors
    /// It cannot be started, or this rig's holders are tasks.
    pub fn launch<T: DeserializeOwned>(
        &self,
        holder: HolderId,
    ) -> Result<HolderProcess<T>, RigError> {
        let processes = self.processes.as_ref();
        processes.ok_or_else(|| RigError::new("this rig's holders are tasks"))?.launch(holder)
    }

    /// Where `holder` finds the servers, to be told to its process.
    ///
    /// # Errors
    /// A server is reached in a way that cannot be told.
    pub fn places(&self, holder: HolderId) -> Result<Places, RigError> {
        let redis = self.redis.iter().enumerate();
        let redis = redis.map(|(number, server)| {
            place(&self.links, Link::Redis(number), &server.connection, holder)
        });
        let group = self.group.as_ref().map(|group| group.way().clone());
        let coordinator = self.coordinator.as_ref();
        let coordinator =
            coordinator.map(|server| (server.service, way_to(&self.links, server, holder)));
        let limits = self.plan.database.limits;
        let proxy = self.links.proxy(Link::Database, holder);
        let places = Places::new(redis, group, &self.database, limits, proxy)?;
        let places = places.with_coordinator(coordinator);
        Ok(places.with_adapter(self.adapters.as_ref().map(|known| known.adapter().clone())))
    }
}

impl LiveRig {
    /// Where a service finds the servers.
    ///
    /// # Errors
    /// A server is reached in a way that a service cannot be told.
    pub fn service_places(&self) -> Result<ServicePlaces, RigError> {
        // Of links that holders share, whoever asks.
        let anybody = HolderId(0);
        let redis = self.redis.iter().enumerate();
        let redis = redis.map(|(number, server)| {
            place(&self.links, Link::Redis(number), &server.connection, anybody)
        });
        let room = match self.tables {
            Tables::Theirs(room) => room,
            Tables::Ours => return Err(RigError::new("this rig has tables of our own")),
        };
        let proxy = self.links.proxy(Link::Database, anybody);
        ServicePlaces::new(redis, &self.database, room, proxy)
    }
}

impl System for LiveRig {
    fn as_rig(self: Arc<Self>) -> Arc<dyn Rig> {
        self
    }

    fn backends(&self) -> Arc<dyn Backends> {
        Arc::clone(&self.backends)
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
        let mut settings = match (&self.group, &self.coordinator) {
            _ if self.adapters.is_some() => Vec::new(),
            (Some(group), _) => group.driver_settings(),
            (None, Some(server)) => coordinator::driver_settings(server.service),
            (None, None) if self.redis.is_empty() => Vec::new(),
            (None, None) => (self.driver.settings)(),
        };
        settings.extend(self.store.driver_settings());
        settings
    }

    fn locks_left(&self) -> BoxFuture<'_, Vec<LockLeft>> {
        async {
            let settings = &self.plan.lock;
            let mut left = Vec::new();
            // What a replica has, its primary may have given back; and a key of a cluster moves.
            let alone = if self.group.is_none() { self.redis.as_slice() } else { &[] };
            for (server, redis) in (1..).zip(alone) {
                // One that cannot be asked, since a fault took it away for good, tells of none.
                let found = strings_under(&redis.connection, &settings.key_prefix).await;
                left.extend(found.unwrap_or_default().into_iter().filter_map(|found| {
                    let lock = settings.lock_of_redis_key(&found.key)?;
                    let owner = OwnerValue::new(&found.value);
                    Some(LockLeft { lock, server, owner, ends: found.ends })
                }));
            }
            left
        }
        .boxed()
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
            if let (Tables::Theirs(room), database) = (self.tables, &self.database)
                && !(room == Room::Schema && matches!(database, Database::Postgres { .. }))
            {
                // It goes with the provider's own file or server; what is in it is not ours to know.
                return cleared;
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
        servers: &'a [Link],
        effect: ServerEffect,
    ) -> BoxFuture<'a, Result<Box<dyn Affliction>, RigError>> {
        let control = |&link: &Link| {
            let control = match link {
                Link::Redis(number) => &self.redis.get(number)?.control,
                Link::Coordinator(_) => &self.coordinator.as_ref()?.control,
                Link::Database => self.own_database.as_ref()?,
            };
            Some((link, Arc::clone(control)))
        };
        control::afflict(servers.iter().filter_map(control).collect(), effect).boxed()
    }

    fn end_session(&self, holder: HolderId) -> BoxFuture<'_, Result<Option<String>, RigError>> {
        async move {
            let sessions = self.sessions.as_ref();
            let none = || RigError::new("this database has no sessions that could be ended");
            sessions.ok_or_else(none)?.end(holder).await
        }
        .boxed()
    }

    fn afflict_holders<'a>(
        &'a self,
        holders: &'a [HolderId],
        effect: HolderEffect,
    ) -> BoxFuture<'a, Result<Box<dyn HolderAffliction>, RigError>> {
        match &self.processes {
            Some(processes) => processes.afflict(holders, effect).boxed(),
            None => self.afflict_tasks(holders, effect).boxed(),
        }
    }

    fn expire_lock<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>> {
        async move {
            if let Some(server) = &self.coordinator {
                let view = CoordinatorView::new(server.service, server.address, self.env.clone());
                let ended = view.expire(&self.plan.lock, lock).await?;
                return Ok(Expired { held_on: ended.len().min(1), servers: 1 });
            }
            if self.redis.is_empty() {
                return database_locks::expire(&*self.store, &self.plan.lock, lock).await;
            }
            let key = self.plan.lock.redis_key(lock);
            if let Some(group) = &self.group {
                let held_on = delete_in(group, &key).await.map_err(|error| {
                    RigError::new("cannot drop a lock on the Redis servers").because(error)
                })?;
                return Ok(Expired { held_on, servers: 1 });
            }
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

impl LiveRig {
    async fn afflict_tasks(
        &self,
        holders: &[HolderId],
        effect: HolderEffect,
    ) -> Result<Box<dyn HolderAffliction>, RigError> {
        let tasks = || afflict_tasks(self, holders, effect);
        Ok(match &self.adapters {
            None => tasks(),
            Some(adapters) => {
                Box::new(AdapterAffliction::begin(adapters, holders, effect, tasks).await?)
            }
        })
    }
}

/// The lock's connections, over the links; one each where faults tell holders apart.
fn connections(
    env: &Env,
    links: &Arc<Links>,
    plan: &RigPlan,
    redis: &[RedisServer],
    driver: &DriverEntry,
) -> SharedConnections {
    let links = Arc::clone(links);
    let servers: Vec<_> = redis.iter().map(|server| server.connection.clone()).collect();
    let connections =
        SharedConnections::new(env.clone(), plan.redis_servers, move |server, holder| {
            Ok(place(&links, Link::Redis(server), &servers[server], holder))
        });
    let connections = match driver.dialler {
        Some(dialler) => connections.dialled_by(dialler),
        None => connections,
    };
    // Who waits for replicas keeps all waiting that share the connection.
    if plan.links == LinkUse::PerHolder || plan.needs.replicas > 0 {
        connections.one_per_holder()
    } else {
        connections
    }
}

/// The lock's way to its coordination service, over the links.
fn to_coordinator(links: &Arc<Links>, server: &CoordinatorServer) -> CoordinatorBackends {
    let (links, service, straight) = (Arc::clone(links), server.service, server.address);
    CoordinatorBackends::new(service, move |holder| {
        links.proxy(Link::Coordinator(service), holder).unwrap_or(straight)
    })
}

/// Where `holder` finds it.
fn way_to(links: &Links, server: &CoordinatorServer, holder: HolderId) -> SocketAddr {
    links.proxy(Link::Coordinator(server.service), holder).unwrap_or(server.address)
}

/// Where `holder` finds a Redis server that is at `straight`.
fn place(links: &Links, link: Link, straight: &ConnectionInfo, holder: HolderId) -> ConnectionInfo {
    match links.proxy(link, holder) {
        None => straight.clone(),
        Some(proxy) => {
            let proxy = ConnectionAddr::Tcp(proxy.ip().to_string(), proxy.port());
            straight.clone().set_addr(proxy)
        }
    }
}

/// Straight to the server: a fault is not itself subject to faults on links.
async fn delete(server: &RedisServer, key: &str) -> redis::RedisResult<usize> {
    let mut connection = straight::dial(&server.connection).await?;
    redis::cmd("DEL").arg(key).query_async(&mut connection).await
}

/// The same where it takes the lock's own way to find the server that has the key.
async fn delete_in(group: &GroupBackends, key: &str) -> redis::RedisResult<usize> {
    let mut connection = group.connect().await?;
    redis::cmd("DEL").arg(key).query_async(&mut connection).await
}

/// The servers that faults can tell apart, and how a lock reaches them where they are one service to it.
async fn redis_servers(
    provider: &dyn Provider,
    plan: &RigPlan,
) -> Result<(Vec<RedisServer>, Option<GroupWay>), RigError> {
    if plan.topology != Topology::Independent && plan.redis_servers > 0 {
        let RedisGroup { servers, way } = provider.redis_group(plan.topology, plan.needs).await?;
        return Ok((servers, Some(way)));
    }
    let mut servers = Vec::with_capacity(plan.redis_servers);
    for number in 0..plan.redis_servers {
        servers.push(provider.redis(number, plan.needs).await?);
    }
    Ok((servers, None))
}

/// Room for somebody else's tables, where the database is a server.
async fn make_room(database: &Database, room: Room) -> Result<(), RigError> {
    let Database::Postgres { address, schema, .. } = database else { return Ok(()) };
    let what = room.word();
    let cannot = || RigError::new(format!("cannot make a {what} for the service"));
    let dialled = address.connect().await.map_err(|error| cannot().because(error))?;
    let made = dialled.client().batch_execute(&format!("CREATE {what} {schema}")).await;
    made.map_err(|error| cannot().because(error))
}

/// Where proxies can stand in for servers, and what is spoken there where one can follow that.
fn addresses(
    redis: &[RedisServer],
    coordinator: Option<&CoordinatorServer>,
    database: &Database,
) -> BTreeMap<Link, (SocketAddr, Option<Protocol>)> {
    let servers = redis.iter().enumerate();
    let redis = servers
        .filter_map(|(n, server)| Some((Link::Redis(n), (server.tcp?, Some(Protocol::Redis)))));
    let coordinator =
        coordinator.map(|server| (Link::Coordinator(server.service), (server.address, None)));
    let database = database.tcp().map(|place| (Link::Database, place));
    redis.chain(coordinator).chain(database).collect()
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

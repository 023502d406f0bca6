//! The rig of model servers and virtual links.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{BookingStore, ModelStore};
use lockproof_env::Group;
use lockproof_locks::Backends;
use lockproof_model::{
    DriverSetting, HolderId, Instant, LockLeft, LockName, OwnerValue, ServerInfo,
};
use lockproof_sim::{Handle, Shared, Simulation};

use super::backends::SimBackends;
use super::database::SimWire;
use super::database_faults::DatabaseAffliction;
use super::network::Network;
use super::redis_server::{ModelRedis, Rewound};
use super::wire::WireBackends;
use crate::database_locks::{self, WithDatabase};
use crate::{
    Affliction, Disturbance, Expired, Link, LinkEffect, Rig, RigError, RigPlan, ServerEffect,
    System,
};

/// What speaks to the model servers of Redis for a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedisDriver {
    /// A stand-in for the client library: a message is a whole request or reply.
    #[default]
    StandIn,
    /// The unmodified client library: a message is a chunk of the bytes that it writes and reads.
    Library,
}

/// One cell's servers, links and holders in virtual time.
#[derive(Debug)]
pub struct SimRig {
    plan: RigPlan,
    handle: Handle,
    groups: BTreeMap<HolderId, Group>,
    network: Shared<Network>,
    redis: Vec<Shared<ModelRedis>>,
    driver: RedisDriver,
    backends: Arc<dyn Backends>,
    store: Arc<dyn BookingStore>,
    database: SimWire,
}

impl SimRig {
    /// What `plan` asks for, in the world of `simulation`.
    #[must_use]
    pub fn new(simulation: &Simulation, plan: RigPlan) -> Self {
        Self::with_driver(simulation, plan, RedisDriver::default())
    }

    /// The same, with `driver` between the locks and the servers.
    #[must_use]
    pub fn with_driver(simulation: &Simulation, plan: RigPlan, driver: RedisDriver) -> Self {
        let handle = simulation.handle();
        let random = simulation.env().random().fork("network");
        let network = Network::new(handle.clone(), &random);
        let start = |server| {
            let network = network.clone();
            ModelRedis::start(Link::Redis(server), handle.clone(), network, plan.needs)
        };
        let redis: Vec<_> = (0..plan.redis_servers).map(start).collect();
        let groups: BTreeMap<_, _> =
            (1..=plan.holders).map(|n| (HolderId(n), Group::new())).collect();
        let (links, servers) = (network.clone(), redis.clone());
        let backends: Arc<dyn Backends> = match driver {
            RedisDriver::StandIn => Arc::new(SimBackends::new(links, servers)),
            RedisDriver::Library => {
                Arc::new(WireBackends::new(simulation.env(), groups.clone(), links, servers))
            }
        };
        let database = SimWire::to(&network, &plan.layout, plan.database.limits);
        let store: Arc<dyn BookingStore> = Arc::new(ModelStore::new(Arc::new(database.clone())));
        // What every Redis request passes stays as short as it is.
        let backends: Arc<dyn Backends> = if plan.redis_servers == 0 {
            Arc::new(WithDatabase { servers: backends, store: Arc::clone(&store) })
        } else {
            backends
        };
        Self { plan, handle, groups, network, redis, driver, backends, store, database }
    }

    fn chosen(&self, servers: &[Link]) -> Vec<(usize, Shared<ModelRedis>)> {
        let known = |&server: &Link| match server {
            Link::Redis(server) => Some((server, self.redis.get(server)?.clone())),
            Link::Database | Link::Coordinator(_) => None,
        };
        servers.iter().filter_map(known).collect()
    }
}

impl System for SimRig {
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
        let version = || env!("CARGO_PKG_VERSION").to_owned();
        let mut servers = Vec::new();
        if !self.redis.is_empty() {
            let count = u32::try_from(self.redis.len()).unwrap_or(u32::MAX);
            servers.push(ServerInfo {
                kind: "simulated redis".to_owned(),
                version: version(),
                count,
                settings: Vec::new(),
            });
        }
        servers.push(ServerInfo {
            kind: "simulated database".to_owned(),
            version: version(),
            count: 1,
            settings: Vec::new(),
        });
        servers
    }

    fn drivers(&self) -> Vec<DriverSetting> {
        let mut settings = match self.driver {
            RedisDriver::Library if !self.redis.is_empty() => WireBackends::driver_settings(),
            _ => Vec::new(),
        };
        settings.extend(self.store.driver_settings());
        settings
    }

    fn locks_left(&self) -> BoxFuture<'_, Vec<LockLeft>> {
        let settings = &self.plan.lock;
        let left = |(server, model): (u32, &Shared<ModelRedis>)| {
            let values = model.strings(settings.every_redis_key().as_bytes());
            values.into_iter().filter_map(move |(key, owner, ends)| {
                let lock = settings.lock_of_redis_key(&key)?;
                Some(LockLeft { lock, server, owner: OwnerValue::new(&owner), ends })
            })
        };
        let left = (1..).zip(&self.redis).flat_map(left).collect();
        std::future::ready(left).boxed()
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), RigError>> {
        // Everything ends with the simulation.
        std::future::ready(Ok(())).boxed()
    }
}

impl Rig for SimRig {
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
        Ok(Box::new(Network::disturb(&self.network, links, holders, effect)))
    }

    fn afflict<'a>(
        &'a self,
        servers: &'a [Link],
        effect: ServerEffect,
    ) -> BoxFuture<'a, Result<Box<dyn Affliction>, RigError>> {
        let database = servers.contains(&Link::Database).then(|| self.database.clone());
        let mut afflicted = Afflicted {
            servers: self.chosen(servers),
            database: database.map(|database| database.afflict(effect)),
            effect,
            at: self.handle.now(),
            observed: Vec::new(),
        };
        afflicted.begin();
        std::future::ready(Ok(Box::new(afflicted) as Box<dyn Affliction>)).boxed()
    }

    fn end_session(&self, holder: HolderId) -> BoxFuture<'_, Result<Option<String>, RigError>> {
        std::future::ready(Ok(self.database.end_session(holder))).boxed()
    }

    fn expire_lock<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>> {
        if self.redis.is_empty() {
            return database_locks::expire(&*self.store, &self.plan.lock, lock).boxed();
        }
        let key = self.plan.lock.redis_key(lock);
        let held_on = self.redis.iter().filter(|server| server.drop_key(&key)).count();
        std::future::ready(Ok(Expired { held_on, servers: self.redis.len() })).boxed()
    }
}

/// Servers that suffer something.
#[derive(Debug)]
struct Afflicted {
    servers: Vec<(usize, Shared<ModelRedis>)>,
    database: Option<DatabaseAffliction>,
    effect: ServerEffect,
    at: Instant,
    observed: Vec<String>,
}

impl Afflicted {
    fn begin(&mut self) {
        for (number, server) in &self.servers {
            let name = Link::Redis(*number);
            match self.effect {
                ServerEffect::Pause => server.pause(),
                ServerEffect::Crash { .. } => {
                    // Of a server that nobody uses and that keeps nothing, nobody notices that it dies.
                    let connections = server.crash();
                    if connections > 0 {
                        self.observed.push(format!("{name} died with {connections} connections"));
                    }
                }
                ServerEffect::ClockJump { by_ms } => {
                    let (before, after) = server.set_clock(by_ms, None);
                    self.observed.push(format!("{name}'s TIME went from {before} to {after} ms"));
                }
                ServerEffect::ClockRate(rate) => {
                    server.set_clock(0, Some(rate));
                    self.observed.push(format!("{name}'s clock ran at {rate} of its rate"));
                }
                ServerEffect::Failover { lag } => {
                    let (connections, Rewound { lost, stale }) = server.fail_over(lag);
                    if connections > 0 {
                        self.observed.push(format!(
                            "{name} has its replica in its place, and {connections} connections ended"
                        ));
                    }
                    if lost > 0 {
                        self.observed.push(format!("{name}'s replica lacked {lost} keys"));
                    }
                    if stale > 0 {
                        self.observed.push(format!("{name}'s replica had {stale} of the past"));
                    }
                }
                ServerEffect::Evict | ServerEffect::Flush => {
                    let gone = server.drop_keys(b"*");
                    if gone > 0 {
                        let verb =
                            if self.effect == ServerEffect::Evict { "evicted" } else { "lost" };
                        self.observed.push(format!("{name} {verb} {gone} keys"));
                    }
                }
                // A scenario with this is refused in this world.
                ServerEffect::FillDisk => {}
            }
        }
    }

    fn end(&mut self) {
        for (number, server) in std::mem::take(&mut self.servers) {
            let name = Link::Redis(number);
            match self.effect {
                ServerEffect::Pause => {
                    let waited = server.as_rc().resume();
                    if waited > 0 {
                        self.observed.push(format!("{waited} requests waited at {name}"));
                    }
                }
                ServerEffect::Crash { keeps } => {
                    let Rewound { lost, stale } = server.restart(keeps, self.at);
                    if lost > 0 {
                        self.observed.push(format!("{name} restarted without {lost} keys"));
                    }
                    if stale > 0 {
                        self.observed.push(format!("{name} restarted with {stale} of the past"));
                    }
                }
                ServerEffect::ClockRate(_) => {
                    server.set_clock(0, Some(1.0));
                }
                ServerEffect::ClockJump { .. }
                | ServerEffect::Failover { .. }
                | ServerEffect::Evict
                | ServerEffect::Flush
                | ServerEffect::FillDisk => {}
            }
        }
        self.observed.extend(self.database.take().and_then(DatabaseAffliction::end));
    }
}

impl Affliction for Afflicted {
    fn heal(mut self: Box<Self>) -> BoxFuture<'static, Result<Option<String>, RigError>> {
        self.end();
        let observed = std::mem::take(&mut self.observed);
        std::future::ready(Ok((!observed.is_empty()).then(|| observed.join("; ")))).boxed()
    }
}

impl Drop for Afflicted {
    fn drop(&mut self) {
        self.end();
    }
}

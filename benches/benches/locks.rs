//! What it costs to take a lock that nobody else wants and to give it back.
//!
//! One iteration is one acquire and one release by every holder, each on a lock of its own, through the driver
//! that the program uses. `1 holder` shows latency: round trips, and how long a machine at rest takes to wake
//! up. `64 holders` shows throughput over one shared connection per server. `none` never leaves the process,
//! and is what the driver itself costs.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use futures_util::future::try_join_all;
use lockproof_benches::{Servers, Source, World, criterion};
use lockproof_env::{Env, live};
use lockproof_locks::{
    Acquisition, Drift, Driver, ENTRIES, LockEntry, LockError, LockSettings, Policy, Released,
    Tokens, Wait,
};
use lockproof_model::{HolderId, LockName};
use lockproof_rig::{Rig, System};

const SOURCES: [Source; 2] = [
    Source { name: "embedded", provider: "embedded", programs: &[] },
    // A rig has a database, so that this provider wants Postgres for locks too.
    Source {
        name: "process",
        provider: "process",
        programs: &["redis-server", "postgres", "initdb"],
    },
];

const HOLDERS: [u32; 2] = [1, 64];

fn main() {
    let mut criterion = criterion();
    for source in SOURCES {
        let Some(servers) = source.servers() else { continue };
        for variant in variants() {
            measure(&mut criterion, source.name, &servers, &variant);
        }
    }
    criterion.final_summary();
}

/// A lock as it is built for a strategy.
struct Variant {
    name: String,
    entry: &'static LockEntry,
    settings: LockSettings,
}

/// Every lock of the catalog, and again with fencing tokens where it draws them: those cost a script.
fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for entry in ENTRIES {
        let (name, settings) = (entry.name.to_owned(), LockSettings::default());
        variants.push(Variant { name, entry, settings });
        if entry.tokens == Tokens::Drawn {
            let name = format!("{} with token", entry.name);
            let settings = LockSettings { draw_tokens: true, ..LockSettings::default() };
            variants.push(Variant { name, entry, settings });
        }
    }
    variants
}

fn measure(criterion: &mut Criterion, source: &str, servers: &Servers, variant: &Variant) {
    let name = format!("acquire+release/{source}/{}", variant.name);
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    for holders in HOLDERS {
        let mut crowd = None;
        group.throughput(Throughput::Elements(holders.into()));
        group.bench_function(in_words(holders), |bencher| {
            let crowd = crowd.get_or_insert_with(|| Crowd::gather(servers, variant, holders));
            bencher.iter_custom(|pairs| crowd.take_and_give_back(pairs));
        });
    }
    group.finish();
}

fn in_words(holders: u32) -> String {
    if holders == 1 { "1 holder".to_owned() } else { format!("{holders} holders") }
}

/// A TTL that no iteration outlives.
fn policy() -> Policy {
    Policy { ttl: Duration::from_secs(30), wait: Wait::NEVER, drift: Drift::default() }
}

/// Holders with a session each.
struct Crowd<'a> {
    holders: Vec<Holder>,
    world: World<'a>,
}

impl<'a> Crowd<'a> {
    fn gather(servers: &'a Servers, variant: &Variant, holders: u32) -> Self {
        let Variant { name, entry, settings } = variant;
        let name = format!("{name}-{holders}").replace(' ', "-");
        let redis_servers = entry.needs.redis_servers();
        let world = World::of_locks(servers, &name, holders, redis_servers, settings);
        let lock = (entry.build)(settings.clone(), world.rig.backends(), world.env.fork("lock"));
        let salt = live::entropy();
        let holders = world.rig.holders().into_iter().zip(world.rig.groups()).map(|(id, group)| {
            let env = world.env.fork(&id.to_string()).in_group(&group);
            let lock = &lock;
            async move {
                let driver = Driver::open(env.clone(), lock, id, policy(), salt).await?;
                Ok::<_, LockError>(Holder { env, driver, lock: lock_of(id) })
            }
        });
        let holders = world.block_on(try_join_all(holders)).expect("the servers answer");
        Self { holders, world }
    }

    /// Each holder does `pairs`, all of them at once; how long that took.
    fn take_and_give_back(&mut self, pairs: u64) -> Duration {
        let holders = std::mem::take(&mut self.holders);
        let (took, holders) = self.world.block_on(async {
            let elapsed = live::stopwatch();
            let tasks = holders.into_iter().map(|holder| {
                let env = holder.env.clone();
                env.spawn(holder.take_and_give_back(pairs))
            });
            let holders = try_join_all(tasks.collect::<Vec<_>>()).await;
            (elapsed(), holders)
        });
        self.holders = holders.expect("a holder that panics has said why");
        took
    }
}

fn lock_of(holder: HolderId) -> LockName {
    LockName::new(&format!("slot-{}", holder.0))
}

struct Holder {
    env: Env,
    driver: Driver,
    lock: LockName,
}

impl Holder {
    async fn take_and_give_back(mut self, pairs: u64) -> Self {
        for _ in 0..pairs {
            let acquired = self.driver.acquire(&self.lock).await.expect("the server answers");
            let Acquisition::Granted { lease, .. } = acquired else {
                panic!("{} is wanted by nobody else", self.lock)
            };
            let released = self.driver.release(lease).await.expect("the server answers");
            assert_eq!(released, Released::Owned, "{} expired", self.lock);
        }
        self
    }
}

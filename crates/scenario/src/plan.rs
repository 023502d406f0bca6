//! What a scenario comes to.

use std::path::PathBuf;
use std::time::Duration;

use lockproof_faults::FaultPlan;
use lockproof_locks::{Drift, KeepAlive, KeyNames, LockSettings, Needs, Policy, Replication, Wait};
use lockproof_model::{Expectation, World};
use lockproof_rig::sim::RedisDriver;
use lockproof_rig::{
    DatabaseEngine, DatabasePlan, ExternalServers, LinkUse, ServerEffect, ServerKind, ServerNeeds,
    SessionLimits, Topology,
};
use lockproof_workload::Load;

use crate::{AnswersExpected, HoldersAs, Only, ServiceTarget, Strategy, Turn};

/// The version of scenario files that this program reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A scenario with every name resolved and every default filled in.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it came from.
    pub path: PathBuf,
    /// Its name: letters, digits and dashes.
    pub name: String,
    /// What it shows, as a phrase.
    pub title: String,
    /// The failure modes of the catalogue that it shows.
    pub catalog: Vec<String>,
    /// The world that it runs in alone, where it does.
    pub only: Option<Only>,
    /// The service that it puts to the test, where that is what it does: its cells are the service's variants.
    pub target: Option<ServiceTarget>,
    /// How the service shall answer.
    pub answers: Vec<AnswersExpected>,
    /// Each strategy, and what is expected of it.
    pub cells: Vec<Cell>,
    /// Who books what.
    pub load: Load,
    /// What a holder is, live.
    pub holders_as: HoldersAs,
    /// How often each slot may be sold.
    pub capacity: u32,
    /// How long the lock's backends keep a grant.
    pub ttl: Duration,
    /// Waiting for a lock that is held.
    pub wait: Wait,
    /// How many servers a lock on several of them has, where the scenario says so.
    pub servers: Option<u32>,
    /// How often a lease that is kept alive is renewed at most, where the scenario says so.
    pub renewals: Option<u32>,
    /// What a lock on a replicated server asks of its replicas.
    pub replication: Replication,
    /// How many replicas a Redis server has, where the scenario says so.
    pub replicas: Option<u32>,
    /// How long a lock on one server waits for an answer.
    pub time_limit: Duration,
    /// How long a lock on several servers waits for the answer of each.
    pub server_time_limit: Duration,
    /// How its Redis servers belong together.
    pub topology: Topology,
    /// How far the replica of a sentinel's pair is behind.
    pub replica_lag: Option<Duration>,
    /// Which kind of database; the provider's own choice where none is named.
    pub engine: Option<DatabaseEngine>,
    /// Limits on the holders' sessions at the database.
    pub limits: SessionLimits,
    /// What goes wrong.
    pub faults: Vec<FaultPlan>,
    /// The fields of each `[[fault]]` as the scenario writes them, since a plan does not keep them.
    pub fault_fields: Vec<String>,
    /// The line and column of each of `faults`.
    pub fault_places: Vec<(usize, usize)>,
    /// The servers that `--provider external` is to use, where the scenario names them.
    pub external: ExternalServers,
    /// Without which a run shows nothing.
    pub require: Require,
    /// The schedule that it repeats, where it is a replay.
    pub replay: Option<Replay>,
}

/// A schedule that was found and is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Decides everything random, in the simulated world.
    pub seed: u64,
    /// What spoke to the simulated Redis servers.
    pub driver: RedisDriver,
    /// SHA-1 of the simulated history, by which a replay is known to be the same.
    pub digest: String,
    /// The order of the steps, for the live world.
    pub order: Vec<Turn>,
}

/// A strategy of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The strategy.
    pub strategy: Strategy,
    /// What its effect on the table shall be.
    pub expect: Expectation,
}

impl Cell {
    /// A strategy that nobody named an expectation for.
    #[must_use]
    pub const fn expected_safe(strategy: Strategy) -> Self {
        Self { strategy, expect: Expectation::NoDuplicates }
    }
}

/// What a run must have had, or it could not have shown a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Require {
    /// Confirmed bookings at least.
    pub bookings: u32,
    /// Injections that took effect, of each fault.
    pub faults_bitten: u32,
    /// Slots at least that two holders wanted at one time.
    pub contended: u32,
}

impl Scenario {
    /// The cell of `strategy`, where the scenario names it.
    #[must_use]
    pub fn cell(&self, strategy: &Strategy) -> Option<Cell> {
        self.cells.iter().find(|cell| cell.strategy == *strategy).copied()
    }

    /// The kinds of anomaly that it expects of some strategy; of no other one shall they be seen.
    #[must_use]
    pub fn shown(&self) -> Vec<&'static str> {
        let shown = |cell: &Cell| match cell.expect {
            Expectation::Shows(kind) => Some(kind),
            _ => None,
        };
        self.cells.iter().filter_map(shown).collect()
    }

    /// Whether the scenario's faults can reach `strategy`.
    ///
    /// # Errors
    /// A sentence that says what the strategy lacks.
    pub fn admits(&self, strategy: &Strategy) -> Result<(), String> {
        if let Some(target) = &self.target {
            let variants: Vec<_> =
                target.variants.iter().map(|variant| variant.name.as_str()).collect();
            let variants = variants.join(", ");
            return Err(format!(
                "{}: it puts a service to the test, which has no {strategy} but {variants}",
                self.name
            ));
        }
        if let Some(why) = strategy.unfit_for(self.capacity) {
            return Err(format!("{}: {why}", self.name));
        }
        let unfit = crate::servers::unfit(self.topology, strategy);
        if let Some(why) = unfit.or_else(|| crate::flow::unfit(self.load.flow, strategy)) {
            return Err(format!("{}: {why}", self.name));
        }
        if strategy.lock.needs == Needs::ReplicatedRedis
            && let Some(why) = crate::servers::too_few(self.replication, self.replicas)
        {
            return Err(format!("{}: {why}", self.name));
        }
        if let Some(why) = unasked_ttl(self.ttl, strategy) {
            return Err(format!("{}: {why}", self.name));
        }
        let servers = self.redis_servers(strategy);
        let lack = |plan: &FaultPlan| crate::faults::lack(&plan.fault.reach(), strategy, servers);
        match self.faults.iter().find_map(lack) {
            Some(lack) => Err(format!("{}: {lack}", self.name)),
            None => Ok(()),
        }
    }

    /// How the service shall answer in `cell`. What is said of its variant by name takes the place of what is said of all.
    pub fn answers_of(&self, cell: &Cell) -> impl Iterator<Item = &AnswersExpected> {
        let name = cell.strategy.lock.name;
        let is_its_own = |expected: &&AnswersExpected| expected.variant.as_deref() == Some(name);
        let own: Vec<_> = self.answers.iter().filter(is_its_own).collect();
        let of_all = self.answers.iter().filter(|expected| expected.variant.is_none());
        let replaced = own.iter().map(|expected| (expected.call, expected.status));
        let replaced: Vec<_> = replaced.collect();
        let of_all =
            of_all.filter(move |expected| !replaced.contains(&(expected.call, expected.status)));
        of_all.chain(own)
    }

    /// How many Redis servers `strategy` runs on here.
    #[must_use]
    pub fn redis_servers(&self, strategy: &Strategy) -> usize {
        redis_servers(strategy, self.servers, self.topology)
    }

    /// How holders use the lock.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy { ttl: self.ttl, wait: self.wait, drift: Drift::default() }
    }

    /// How the lock of `strategy` is built, with its keys under `key_prefix`.
    #[must_use]
    pub fn lock_settings(&self, strategy: &Strategy, key_prefix: String) -> LockSettings {
        LockSettings {
            key_prefix,
            draw_tokens: strategy.guard.needs_token,
            time_limit: self.time_limit,
            server_time_limit: self.server_time_limit,
            drift: Drift::default(),
            replication: self.replication,
            keys: KeyNames::Tagged,
        }
    }

    /// How `strategy` keeps its leases alive, where it does.
    #[must_use]
    pub fn keep(&self, strategy: &Strategy) -> Option<KeepAlive> {
        let keep = strategy.keep(self.ttl)?;
        Some(KeepAlive { renewals: self.renewals.unwrap_or(keep.renewals), ..keep })
    }

    /// What its faults need of the links.
    #[must_use]
    pub fn link_use(&self) -> LinkUse {
        use lockproof_faults::Reach;
        let of = |plan: &FaultPlan| match plan.fault.reach() {
            Reach::Links(_) if plan.holders.is_empty() && !plan.fault.tells_holders_apart() => {
                LinkUse::Shared
            }
            Reach::Links(_) => LinkUse::PerHolder,
            Reach::Holder
            | Reach::HolderAt(_)
            | Reach::LockOfHolder
            | Reach::Servers(_)
            | Reach::DatabaseSession => LinkUse::Direct,
        };
        self.faults.iter().map(of).max().unwrap_or(LinkUse::Direct)
    }

    /// Why it cannot run live, where it cannot: it says so itself, or a fault is one that the live world cannot do.
    #[must_use]
    pub fn needs_simulation(&self) -> Option<String> {
        let needs = |plan: &FaultPlan| Some((plan.number, plan.needs_simulation()?));
        if let Some((number, what)) = self.faults.iter().find_map(needs) {
            return Some(format!(
                "fault {number} is {what}, which only the simulated world can do"
            ));
        }
        let only = self.only.as_ref().filter(|only| only.world == World::Sim)?;
        Some(format!("it is for the simulated world alone: {}", only.because))
    }

    /// Why it cannot be simulated, where it cannot: it says so itself, or asks for what the simulated world lacks.
    #[must_use]
    pub fn needs_live(&self) -> Option<String> {
        if self.target.is_some() {
            return Some("it puts a service to the test, which only the live world has".to_owned());
        }
        if self.topology != Topology::Independent {
            let topology = self.topology;
            return Some(format!("its Redis is a {topology}, which only the live world has"));
        }
        // Where there are others, those are left out, and can be simulated.
        let live: Vec<_> = self.cells.iter().filter_map(|cell| cell.strategy.live_only()).collect();
        if live.len() == self.cells.len() {
            return live.into_iter().next();
        }
        if let Some(engine @ DatabaseEngine::Mariadb) = self.engine {
            return Some(format!("its database is {engine}, of which there is no model"));
        }
        let needs = |plan: &FaultPlan| Some((plan.number, plan.needs_live()?));
        if let Some((number, what)) = self.faults.iter().find_map(needs) {
            return Some(format!("fault {number} is a {what}, which only the live world can do"));
        }
        let only = self.only.as_ref().filter(|only| only.world == World::Live)?;
        Some(format!("it is for the live world alone: {}", only.because))
    }

    /// What faults do to servers of a kind.
    fn server_effects(&self, kind: ServerKind) -> impl Iterator<Item = ServerEffect> {
        let faults = self.faults.iter();
        let of_kind = faults.filter(move |plan| plan.server_kinds().any(|other| other == kind));
        of_kind.filter_map(|plan| plan.fault.server_effect())
    }

    /// What Redis servers need from their start, so that the faults can be done to them.
    #[must_use]
    pub fn server_needs(&self) -> ServerNeeds {
        let (replica_lag, replicas) = (self.replica_lag, self.replicas());
        let own = ServerNeeds { replica_lag, replicas, ..ServerNeeds::default() };
        self.server_effects(ServerKind::Redis).map(ServerEffect::needs).fold(own, ServerNeeds::and)
    }

    /// How many replicas it wants beside what its faults need: one where a lock waits for any.
    fn replicas(&self) -> u32 {
        let waits = |cell: &Cell| cell.strategy.lock.needs == Needs::ReplicatedRedis;
        self.replicas.unwrap_or_else(|| u32::from(self.cells.iter().any(waits)))
    }

    /// What is asked of the database.
    #[must_use]
    pub fn database_plan(&self) -> DatabasePlan {
        let needs = self.server_effects(ServerKind::Database).map(ServerEffect::needs);
        DatabasePlan {
            engine: self.engine,
            needs: needs.reduce(ServerNeeds::and),
            limits: self.limits,
        }
    }

    /// Which of what it does or asks for takes a database that is a server, where something does.
    #[must_use]
    pub fn needs_database_server(&self) -> Option<&'static str> {
        use lockproof_faults::Reach;
        let reaches =
            |wanted: fn(&Reach) -> bool| self.faults.iter().any(|plan| wanted(&plan.fault.reach()));
        if self.disturbs_database_link() {
            Some("a fault disturbs the link to the database")
        } else if reaches(|reach| matches!(reach, Reach::DatabaseSession)) {
            Some("a fault ends a session at the database")
        } else {
            self.limits.is_set().then_some("[database] limits its sessions")
        }
    }

    /// Why its bookings cannot be kept in a database of that kind, where they cannot.
    #[must_use]
    pub fn unfit_for(&self, engine: DatabaseEngine) -> Option<String> {
        use lockproof_faults::Reach;
        use lockproof_rig::LinkSelector;
        let what = self.needs_database_server().filter(|_| !engine.is_server());
        if let Some(what) = what {
            return Some(format!("{what}, and {engine} is a file"));
        }
        let limits = [self.limits.idle_in_transaction, self.limits.lock];
        let finer = limits.into_iter().flatten().find(|&limit| !engine.counts(limit));
        if let Some(limit) = finer {
            return Some(format!(
                "[database] limits sessions to {limit:?}, and {engine} counts in whole seconds"
            ));
        }
        let unread = |plan: &&FaultPlan| {
            let Reach::Links(links) = plan.fault.reach() else { return false };
            plan.fault.tells_holders_apart() && links.contains(&LinkSelector::Database)
        };
        if let Some(plan) = self.faults.iter().find(unread).filter(|_| !engine.is_followed()) {
            let (number, label) = (plan.number, plan.label());
            return Some(format!(
                "fault {number} ({label}) is on single requests, and what is said to {engine} is not read; use postgres"
            ));
        }
        let refused = |plan: &FaultPlan| {
            let effect = plan.fault.server_effect()?;
            let is_on_database = plan.server_kinds().any(|kind| kind == ServerKind::Database);
            let why = engine.refuses(effect).filter(|_| is_on_database)?;
            let (number, label) = (plan.number, plan.label());
            Some(format!("fault {number} ({label}) cannot be done to {engine}: {why}"))
        };
        self.faults.iter().find_map(refused)
    }

    /// Whether a fault disturbs the link to the database.
    fn disturbs_database_link(&self) -> bool {
        use lockproof_faults::Reach;
        use lockproof_rig::LinkSelector::Database;
        let on_database = |plan: &FaultPlan| matches!(plan.fault.reach(), Reach::Links(links) if links.contains(&Database));
        self.faults.iter().any(on_database)
    }
}

/// Why servers of `strategy` cannot keep a grant for just `ttl`, where they cannot.
pub(crate) fn unasked_ttl(ttl: Duration, strategy: &Strategy) -> Option<String> {
    let unit = strategy.lock.needs.ttl_unit();
    let fits = !ttl.is_zero() && ttl.as_nanos().is_multiple_of(unit.as_nanos());
    let (lock, unit) = (strategy.lock.name, humantime::format_duration(unit));
    (!fits).then(|| {
        let ttl = humantime::format_duration(ttl);
        format!("{lock} counts a TTL in multiples of {unit}, and {ttl} is none; write one, or leave {lock} out")
    })
}

pub(crate) fn redis_servers(strategy: &Strategy, asked: Option<u32>, topology: Topology) -> usize {
    if let Some(servers) = topology.servers().filter(|_| strategy.lock.needs.redis_servers() > 0) {
        return servers;
    }
    match (strategy.lock.needs, asked) {
        (Needs::IndependentRedis(_), Some(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        (needs, _) => needs.redis_servers(),
    }
}

//! `[servers]`: how Redis servers belong together, where somebody else's are, and what a scenario may not do to those.

use std::collections::BTreeSet;
use std::time::Duration;

use lockproof_faults::{FaultPlan, Reach};
use lockproof_locks::{Coordinator, Needs, Replication};
use lockproof_rig::{
    CoordinatorUrl, ExternalServers, LinkSelector, ServerEffect, ServerKind, Topology,
};

use crate::Strategy;
use crate::plan::Scenario;
use crate::reader::Reader;
use crate::source::Problem;
use crate::suggest::hint;

/// The `[servers]` table.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// What `--provider external` connects to, unless flags or the environment say otherwise.
    pub(crate) external: ExternalServers,
    pub(crate) topology: Topology,
    pub(crate) replica_lag: Option<Duration>,
    /// How many each server has.
    pub(crate) replicas: Option<u32>,
}

pub(crate) fn read(
    top: &mut Reader<'_, '_>,
    strategies: &[Strategy],
    replication: Replication,
) -> Servers {
    let mut servers = Servers::default();
    let waits = strategies.iter().any(|strategy| strategy.lock.needs == Needs::ReplicatedRedis);
    let Some(mut reader) = top.table("servers") else {
        if let Some(why) = too_few(replication, None).filter(|_| waits) {
            top.problem(why);
        }
        return servers;
    };
    servers.external = external(&mut reader);
    let span = reader.key_span("replicas");
    servers.replicas = reader.number("replicas", 1..=9);
    if let Some(why) = too_few(replication, servers.replicas).filter(|_| waits) {
        reader.problem_at(span.as_ref(), why);
    }
    topology(&mut reader, &mut servers, strategies);
    if servers.replicas.is_some() && servers.topology != Topology::Independent {
        let topology = servers.topology;
        let what = format!("a {topology} has the replicas that it has; leave out `replicas`");
        reader.problem_at(span.as_ref(), what);
    }
    reader.finish();
    servers
}

/// Why a lock that waits for replicas would never be granted, where it would not.
pub(crate) fn too_few(replication: Replication, replicas: Option<u32>) -> Option<String> {
    let (wanted, there) = (replication.acknowledgements, replicas.unwrap_or(1));
    let noun = if there == 1 { "replica" } else { "replicas" };
    (wanted > there).then(|| {
        format!(
            "the lock waits for {wanted} acknowledgements and each server has {there} {noun}: it would never be granted; write [servers] replicas = {wanted}"
        )
    })
}

fn external(reader: &mut Reader<'_, '_>) -> ExternalServers {
    let mut servers = ExternalServers::default();
    for text in reader.texts("redis") {
        match text.get_ref().parse() {
            Ok(url) => {
                servers.redis.push(url);
                if let Some(twice) = servers.twice() {
                    reader.source().problem(&text.span(), twice);
                    servers.redis.pop();
                }
            }
            Err(error) => reader.source().problem(&text.span(), error.to_string()),
        }
    }
    for service in Coordinator::ALL {
        let Some(text) = reader.text(service.word()) else { continue };
        match CoordinatorUrl::parse(service, text.get_ref()) {
            Ok(url) => drop(servers.coordinators.insert(service, url)),
            Err(error) => reader.source().problem(&text.span(), error.to_string()),
        }
    }
    if let Some(text) = reader.text("database") {
        match text.get_ref().parse() {
            Ok(url) => servers.database = Some(url),
            Err(error) => reader.source().problem(&text.span(), error.to_string()),
        }
    }
    servers
}

fn topology(reader: &mut Reader<'_, '_>, servers: &mut Servers, strategies: &[Strategy]) {
    let lag_span = reader.key_span("replica-lag");
    servers.replica_lag = reader.duration("replica-lag");
    if let Some(text) = reader.text("topology") {
        let named = Topology::ALL.into_iter().find(|known| known.word() == text.get_ref());
        let Some(topology) = named else {
            let known = Topology::ALL.map(Topology::word);
            let what =
                format!("unknown topology `{}`{}", text.get_ref(), hint(text.get_ref(), &known));
            reader.source().problem(&text.span(), what);
            return;
        };
        servers.topology = topology;
        let unfit = strategies.iter().filter_map(|strategy| unfit(topology, strategy));
        unfit.for_each(|why| reader.source().problem(&text.span(), why));
        if topology != Topology::Independent && !servers.external.redis.is_empty() {
            let what =
                "servers that run already are what they are; leave out `topology` or `redis`";
            reader.source().problem(&text.span(), what);
        }
    }
    if servers.replica_lag.is_some() && servers.topology != Topology::Sentinel {
        let what = "`replica-lag` is of a sentinel's pair: topology = \"sentinel\"; elsewhere the failover fault has a `lag`";
        reader.problem_at(lag_span.as_ref(), what);
    }
}

/// Why `strategy` cannot run on servers of that topology, where it cannot.
pub(crate) fn unfit(topology: Topology, strategy: &Strategy) -> Option<String> {
    if topology == Topology::Independent {
        return None;
    }
    if strategy.adapter.is_some() {
        return Some(format!(
            "the lock of {strategy} is a program, which is told of independent servers alone, and a {topology} is one service; leave `topology` out"
        ));
    }
    if strategy.driver.dialler.is_some() {
        let driver = strategy.driver.name;
        return Some(format!(
            "{strategy} finds no {topology}: {driver} is tried on independent servers alone; leave `@{driver}` or `topology` out"
        ));
    }
    if topology == Topology::Cluster && strategy.lock.needs == Needs::ReplicatedRedis {
        return Some(format!(
            "{strategy} waits for replicas, and the primaries of the cluster have none; use topology = \"sentinel\", or leave it out"
        ));
    }
    let is_several = matches!(strategy.lock.needs, Needs::IndependentRedis(_));
    is_several.then(|| {
        format!(
            "{strategy} needs servers that know nothing of each other, and a {topology} is one service; leave `topology` out, or use redis-set-nx"
        )
    })
}

/// Why a fault that reaches so, and does that, never bites on servers of that topology, where it does not.
pub(crate) fn out_of_reach(
    topology: Topology,
    reach: &Reach,
    effect: Option<ServerEffect>,
) -> Option<&'static str> {
    let is_redis = |selector: &LinkSelector| selector.kind() == ServerKind::Redis;
    match (topology, reach, effect) {
        (Topology::Sentinel | Topology::Cluster, Reach::Links(links), _)
            if links.iter().any(is_redis) =>
        {
            Some(
                "holders find the servers of a sentinel or a cluster by themselves, past every proxy; do it to `servers`, or to independent ones",
            )
        }
        (Topology::Cluster, Reach::Servers(_), Some(ServerEffect::Failover { .. })) => {
            Some("the three primaries of the cluster have no replicas; use topology = \"sentinel\"")
        }
        _ => None,
    }
}

impl Scenario {
    /// What keeps the scenario from being run on `servers`, which others use too; with `destructive`, what harms
    /// those others does not.
    #[must_use]
    pub fn problems_on(&self, servers: &ExternalServers, destructive: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(lacking) = self.lacking(servers) {
            problems.push(self.problem((0, 0), lacking));
        }
        let coordinators =
            self.cells.iter().filter_map(|cell| cell.strategy.lock.needs.coordinator());
        for service in coordinators.collect::<BTreeSet<_>>() {
            if !servers.coordinators.contains_key(&service) {
                let (flag, variable) = (service.word(), service.word().to_uppercase());
                let what = format!(
                    "it needs {service}, and none is named; --{flag}-url URL, LOCKPROOF_{variable}_URL, or {flag} in [servers]"
                );
                problems.push(self.problem((0, 0), what));
            }
        }
        problems.extend(self.out_of_reach(servers).map(|what| self.problem((0, 0), what)));
        for (plan, &place) in self.faults.iter().zip(&self.fault_places) {
            if let Some(harm) = plan.fault.harms_others().filter(|_| !destructive) {
                let what = format!(
                    "{} {harm}, and others may use these servers; if none does, say so: --allow-destructive",
                    plan.kind
                );
                problems.push(self.problem(place, what));
            }
            if let Some(why) = self.never_bites(plan, servers) {
                let what = format!("{} would never bite: {why}", plan.kind);
                problems.push(self.problem(place, what));
            }
        }
        problems
    }

    /// What the drivers of strategies cannot reach of `servers`.
    fn out_of_reach(&self, servers: &ExternalServers) -> impl Iterator<Item = String> {
        self.cells.iter().filter_map(|cell| {
            let url = servers.redis.iter().find_map(|url| {
                Some((url, (cell.strategy.driver.out_of_reach)(url.connection())?))
            });
            url.map(|(url, why)| format!("{} cannot reach {url}: {why}", cell.strategy))
        })
    }

    fn lacking(&self, servers: &ExternalServers) -> Option<String> {
        let needs = |cell: &crate::Cell| self.redis_servers(&cell.strategy);
        let neediest = self.cells.iter().max_by_key(|cell| needs(cell))?;
        let (needed, named) = (needs(neediest), servers.redis.len());
        let noun = if needed == 1 { "server" } else { "servers" };
        let verb = if named == 1 { "is" } else { "are" };
        (needed > named).then(|| {
            format!(
                "{} needs {needed} Redis {noun}, and {named} {verb} named; name {needed}: --redis-url URL,…, LOCKPROOF_REDIS_URLS, or [servers] in the scenario",
                neediest.strategy
            )
        })
    }

    fn never_bites(&self, plan: &FaultPlan, servers: &ExternalServers) -> Option<String> {
        let Reach::Links(selectors) = plan.fault.reach() else { return None };
        let strategies = self.cells.iter().map(|cell| self.redis_servers(&cell.strategy));
        let most = strategies.max().unwrap_or(0);
        let mut links = selectors.iter().flat_map(|selector| selector.resolve(most));
        links.find_map(|link| {
            let reads = plan.fault.tells_holders_apart();
            let hidden = || reads.then(|| servers.unreadable(link)).flatten();
            servers.undisturbable(link).or_else(hidden)
        })
    }

    fn problem(&self, (line, column): (usize, usize), what: String) -> Problem {
        Problem { path: self.path.clone(), line, column, what }
    }
}

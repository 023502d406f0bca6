//! What locks in Postgres cost beside pgbench, which sends the same statements and does nothing else; and what an acquire of
//! Redlock takes while one of its three servers stands still.
//!
//! Ours and pgbench (`-M prepared`, as many connections, one thread) take turns at one server of the run's own, and what
//! is compared is the ratio within a turn. A pair is a lock taken and given back, or a row locked by a transaction that
//! commits.

mod frozen;
mod ours;
mod pgbench;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use lockproof_benches::Spread;
use lockproof_rig::live::{LiveRig, Provider, find_provider, probes};
use lockproof_rig::{DatabaseEngine, DatabasePlan, ExternalServers, LinkUse, RigPlan, ServerNeeds};
use tokio::runtime::{Builder, Runtime};

use self::pgbench::Pgbench;
use crate::places::Places;
use crate::{load, say};

/// Locks in Postgres beside pgbench
#[derive(Debug, Parser)]
#[command(name = "database", disable_version_flag = true)]
struct Arguments {
    /// Samples of each contestant
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..))]
    turns: u32,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// What pgbench counts in, and so a sample.
const SAMPLE: Duration = Duration::from_secs(1);

/// The name of ours, the statements that both send, how many holders, and the least of ours in terms of pgbench's.
const CONTESTS: [(&str, &str, u32, f64); 6] = [
    ("row-lock", pgbench::ROW_LOCK, 1, 0.8),
    ("row-lock", pgbench::ROW_LOCK, 16, 0.8),
    ("lease-row", pgbench::LEASE, 1, 0.8),
    ("lease-row", pgbench::LEASE, 16, 0.8),
    ("pg-advisory-session", pgbench::ADVISORY, 1, 0.6),
    ("pg-advisory-session", pgbench::ADVISORY, 16, 0.6),
];

/// Runs everything, and says which bars were missed.
///
/// # Panics
/// A server that is here cannot be started, or does not answer.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = ["postgres", "initdb", "redis-server"];
    let absent =
        probes().into_iter().find(|probe| wanted.contains(&probe.what) && probe.found.is_none());
    if let Some(absent) = absent {
        say(&format!("skipped: {} was not found ({})", absent.what, absent.remedy));
        return ExitCode::SUCCESS;
    }
    let places = Places::here();
    places.for_servers();
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the operating system grants an event loop");
    let entry = find_provider("process").expect("it is in the catalog");
    let provider = (entry.start)(&ExternalServers::default()).expect("servers can be started");
    let rig = start(&runtime, &provider, 0);
    let quorum = start(&runtime, &provider, 3);
    let pgbench = Pgbench::prepare(&runtime, provider.as_ref());
    places.for_contestants();
    say(&format!("{} turns of {SAMPLE:?}{}", arguments.turns, load()));
    let mut missed = 0;
    if let Some(pgbench) = pgbench {
        for (name, script, holders, least) in CONTESTS {
            let mut ours = ours::contestant(&runtime, &rig, name, holders);
            ours.sample(SAMPLE / 4);
            let (mut ratios, mut last) = (Vec::new(), (0.0, 0.0));
            for turn in 0..arguments.turns {
                // Nobody is always first.
                let before =
                    (turn % 2 == 0).then(|| pgbench.pairs_per_second(script, holders, SAMPLE));
                let mine = ours.sample(SAMPLE).pairs_per_second;
                let theirs =
                    before.unwrap_or_else(|| pgbench.pairs_per_second(script, holders, SAMPLE));
                last = (mine, theirs);
                ratios.push(mine / theirs);
            }
            let ratio = Spread::of(ratios);
            let holds = ratio.median >= least;
            missed += usize::from(!holds);
            say(&format!(
                "{} {name}, {holders} holders: {ratio} × pgbench, at least {least}; last {:.0} and {:.0} pairs/s",
                if holds { "✔" } else { "✘" },
                last.0,
                last.1,
            ));
        }
    }
    missed += usize::from(!frozen::holds(&runtime, &quorum));
    if missed == 0 {
        return ExitCode::SUCCESS;
    }
    say(&format!("\nbars missed: {missed}"));
    ExitCode::FAILURE
}

/// A rig of that many Redis servers beside Postgres.
fn start(runtime: &Runtime, provider: &Arc<dyn Provider>, redis_servers: usize) -> LiveRig {
    let plan = RigPlan {
        needs: ServerNeeds::default(),
        name: "bench".to_owned(),
        holders: 16,
        redis_servers,
        links: LinkUse::Direct,
        lock: lockproof_locks::LockSettings::default(),
        coordinator: None,
        topology: lockproof_rig::Topology::default(),
        database: DatabasePlan {
            engine: Some(DatabaseEngine::Postgres),
            ..DatabasePlan::default()
        },
        layout: pgbench::LAYOUT,
        seed: 1,
    };
    let _timers = runtime.enter();
    let env = lockproof_env::live::env(1);
    let started = runtime.block_on(LiveRig::start(&env, provider.as_ref(), plan));
    started.unwrap_or_else(|error| panic!("{}", lockproof_model::in_full(&error)))
}

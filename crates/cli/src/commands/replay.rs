//! `lockproof replay`: a saved schedule again.

use std::sync::Arc;
use std::time::Duration;

use lockproof_checkers::kinds;
use lockproof_env::live::stopwatch;
use lockproof_model::{
    CellReport, Layer, Manifest, RESULTS_SCHEMA_VERSION, RunReport, World, in_full,
};
use lockproof_rig::sim::RedisDriver;
use lockproof_runner::{Buggify, CellPlan, CellSettings, Search, replay_live, replay_simulated};
use lockproof_scenario::Replay;

use crate::arguments::{Color, ReplayArguments, WorldName};
use crate::commands::holder;
use crate::commands::run::{of_database, provider, why_not_on};
use crate::exit::{Exit, Failure};
use crate::{machine, results, servers, terminal};

/// A replay is small; one that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// What a search may have been after: everything but a holder that outlives its lease, which is no harm by itself.
const BROKEN: [&str; 10] = [
    kinds::DUPLICATE_BOOKING,
    kinds::LOST_BOOKING,
    kinds::PHANTOM_BOOKING,
    kinds::DOUBLE_WRITE,
    kinds::PARTIAL_BOOKING,
    kinds::DUPLICATE_EFFECT,
    kinds::INSIDE_VALIDITY,
    kinds::ORPHANED_LOCK,
    kinds::IMMORTAL_LOCK,
    kinds::RELEASE_UNDONE,
];

pub(crate) fn run(arguments: &ReplayArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    let asked = arguments.wire.driver(arguments.world)?;
    let scenario = lockproof_scenario::load(&arguments.file)
        .map_err(|error| Failure::usage(format!("invalid scenario\n{error}")))?;
    let path = arguments.file.display();
    let Some(replay) = scenario.replay.clone() else {
        return Err(Failure::usage(format!(
            "{path} is no replay: it has no [replay] table; `lockproof explore` saves replays"
        )));
    };
    let [cell] = scenario.cells.as_slice() else {
        return Err(Failure::usage(format!("{path} is no replay: a replay has one strategy")));
    };
    let world = match arguments.world {
        WorldName::Sim => World::Sim,
        WorldName::Live => World::Live,
    };
    let (cell, seed) = (*cell, replay.seed);
    let scenario = of_database(arguments.database.as_deref(), world, vec![Arc::new(scenario)])?;
    let scenario = scenario.into_iter().next().expect("one scenario comes to one");
    let driver = if asked == RedisDriver::Library { asked } else { replay.driver };
    let plan = CellPlan { index: 0, cell, seed, scenario, driver };
    let (started, took) = (machine::utc(), stopwatch());
    let (cell, news) = match arguments.world {
        WorldName::Sim => simulated(&plan, &replay)?,
        WorldName::Live => live(arguments, &plan, replay, verbose)?,
    };
    let status = cell.judgement.status;
    let manifest = Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: machine::revision(),
        command: command(arguments),
        seed: plan.seed,
        world,
        provider: if arguments.world == WorldName::Sim {
            "simulated".to_owned()
        } else {
            arguments.provider.clone()
        },
        started,
        took: took(),
        machine: machine::description(),
        interrupted: false,
        partition: None,
    };
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells: vec![cell] };
    results::show(arguments.format, &report, None, color, verbose)?;
    terminal::answer(&news.text)?;
    Ok(if news.is_same { status.into() } else { Exit::Inconclusive })
}

/// Whether the schedule came again.
struct News {
    is_same: bool,
    text: String,
}

fn simulated(plan: &CellPlan, replay: &Replay) -> Result<(CellReport, News), Failure> {
    let search = Search {
        schedules: 1,
        time: None,
        jobs: 1,
        buggify: Buggify::Off,
        layers: vec![Layer::Effect, Layer::Belief, Layer::Liveness],
        kinds: BROKEN.to_vec(),
        besides: Vec::new(),
        checkers: checkers(),
        halt: Arc::default(),
        slice: None,
        chronicle: None,
    };
    let (finished, is_same) = replay_simulated(plan, &search).map_err(Failure::usage)?;
    let digest = &replay.digest;
    let text = if is_same {
        format!("replayed: the same history, byte for byte (SHA-1 {digest})")
    } else {
        let why = if plan.driver == replay.driver {
            "the file was edited, or another version of lockproof wrote it"
        } else {
            "it was found without --wire, and the client library makes another schedule of its seed"
        };
        format!("not the same: the history's SHA-1 is no longer {digest}; {why}")
    };
    Ok((finished.report, News { is_same, text }))
}

fn live(
    arguments: &ReplayArguments,
    plan: &CellPlan,
    replay: Replay,
    verbose: u8,
) -> Result<(CellReport, News), Failure> {
    let entry = provider(&arguments.provider)?;
    if let Some(why) = plan.scenario.needs_simulation() {
        return Err(Failure::usage(format!("{}: {why}", plan.scenario.path.display())));
    }
    let engine = entry.engine_of(plan.scenario.engine).word();
    let unsupported = plan.cell.strategy.unsupported_on(engine);
    if let Some(why) = unsupported.or_else(|| why_not_on(entry, &plan.scenario)) {
        return Err(Failure::usage(format!("{}: {why}", plan.scenario.path.display())));
    }
    let scenarios = [Arc::clone(&plan.scenario)];
    let servers =
        servers::of_run(entry, &arguments.servers, &scenarios, arguments.allow_destructive)?;
    let provider =
        (entry.start)(&servers).map_err(|error| Failure::infrastructure(in_full(&error)))?;
    let settings = CellSettings {
        provider: Some(provider),
        checkers: checkers(),
        limit: LIMIT,
        halt: Arc::default(),
        holders: holder::program(verbose),
    };
    let (finished, kept) = replay_live(plan, &settings, replay.order);
    let report = finished.report;
    let again = report.duplicates > 0;
    let order = match &kept {
        Ok(()) => "every step in its order".to_owned(),
        Err(why) => format!("the order was lost: {why}"),
    };
    let text = if again {
        format!("reproduced live: {} duplicate bookings, {order}", report.duplicates)
    } else {
        format!("not reproduced live: no slot was sold twice, {order}")
    };
    Ok((report, News { is_same: again, text }))
}

fn checkers() -> Vec<&'static dyn lockproof_checkers::Checker> {
    lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect()
}

fn command(arguments: &ReplayArguments) -> String {
    let mut command = format!("lockproof replay {}", arguments.file.display());
    if arguments.world == WorldName::Live {
        command.push_str(" --world live --provider ");
        command.push_str(&arguments.provider);
    }
    if let Some(database) = &arguments.database {
        command.push_str(" --database ");
        command.push_str(database);
    }
    if arguments.wire.wire {
        command.push_str(" --wire");
    }
    command
}

//! `lockproof explore`: simulated schedules, until one breaks a strategy.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lockproof_checkers::kinds::INSIDE_VALIDITY;
use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{
    CellReport, Exploration, Layer, Manifest, RESULTS_SCHEMA_VERSION, RunReport, World,
};
use lockproof_report::{CellName, Latest};
use lockproof_runner::{Buggify, CellPlan, Chronicle, Finished, Search, cells_of, explore_cell};

use crate::arguments::{Color, ExploreArguments, Seek, WorldName};
use crate::commands::run::label;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::keeper::{Keeper, SearchChronicle};
use crate::progress::Display;
use crate::{machine, results, selection, terminal};

pub(crate) fn run(
    arguments: &ExploreArguments,
    color: Color,
    verbose: u8,
) -> Result<Exit, Failure> {
    let scenarios = selection::load(&arguments.paths, &arguments.strategy)?;
    let scenarios = selection::of_world(scenarios, World::Sim)?;
    let elsewhere = results::Elsewhere::new(arguments.junit.as_deref())?;
    let interrupt = Interrupt::listen(Interrupt::REPORTING)
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = arguments.seed.unwrap_or_else(entropy);
    let driver = arguments.wire.driver(WorldName::Sim)?;
    let command = command(arguments, seed);
    let manifest = machine::manifest(command, seed, World::Sim, "simulated", arguments.partition);
    let mut keeper = Keeper::create(&arguments.out, &scenarios, &manifest)?;
    let took = stopwatch();
    let plans: Vec<_> =
        cells_of(&scenarios, seed).into_iter().map(|plan| plan.driven_by(driver)).collect();
    let chronicle = keeper.chronicle(arguments.keep_histories);
    let search = search(arguments, &interrupt, Arc::clone(&chronicle));
    let mut display = Display::new(arguments.show_progress, plans.len());
    let (mut cells, mut trouble) = (Vec::with_capacity(plans.len()), None);
    for plan in &plans {
        if interrupt.exit().is_some() {
            break;
        }
        display.begun(label(plan));
        let now = stopwatch();
        let mut finished = explore_cell(plan, &search, now, &|_| {});
        if let Err(error) = keep(&keeper, plan, &mut finished) {
            trouble.get_or_insert(error);
        }
        display.finished(&label(plan), &finished.report);
        cells.push(finished.report);
    }
    display.end();
    let manifest = Manifest { took: took(), interrupted: interrupt.exit().is_some(), ..manifest };
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells };
    let kept = keeper.finish(&report);
    results::show(arguments.format, &report, Some(&keeper.path()), color, verbose)?;
    elsewhere.tell(&report)?;
    if let Ok(Latest::Occupied(path)) = &kept {
        terminal::error(&format!("{} is no link and was left alone", path.display()));
    }
    match trouble.or(chronicle.trouble()).or(kept.err()) {
        Some(error) => Err(Failure::infrastructure(format!("the report is incomplete: {error}"))),
        None => Ok(interrupt.exit().unwrap_or_else(|| report.status().into())),
    }
}

fn search(
    arguments: &ExploreArguments,
    interrupt: &Interrupt,
    chronicle: Arc<SearchChronicle>,
) -> Search {
    Search {
        time: arguments.time,
        buggify: arguments.buggify.bounds(),
        layers: match arguments.seek {
            Seek::Effect => vec![Layer::Effect],
            Seek::Belief => vec![Layer::Belief],
            Seek::Liveness => vec![Layer::Liveness],
            Seek::Any => vec![Layer::Effect, Layer::Liveness],
        },
        kinds: match arguments.seek {
            // A holder that outlives its lease proves nothing about the lock.
            Seek::Belief => vec![INSIDE_VALIDITY],
            Seek::Effect | Seek::Liveness | Seek::Any => Vec::new(),
        },
        slice: arguments.partition,
        chronicle: (arguments.keep_histories || arguments.partition.is_some())
            .then_some(chronicle as Arc<dyn Chronicle>),
        ..search_of_tables(arguments.seeds, arguments.jobs, interrupt)
    }
}

/// A search for what the table suffers, with the faults of the scenario alone and nothing kept of it but its report.
pub(crate) fn search_of_tables(seeds: u64, jobs: Option<u16>, interrupt: &Interrupt) -> Search {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Search {
        schedules: seeds,
        time: None,
        jobs: jobs.map_or(processors, usize::from),
        buggify: Buggify::Off,
        layers: vec![Layer::Effect],
        kinds: Vec::new(),
        besides: Vec::new(),
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        halt: Arc::clone(&interrupt.halt),
        slice: None,
        chronicle: None,
    }
}

/// Keeps what a violation left behind, and writes into the report where its replay is.
fn keep(keeper: &Keeper, plan: &CellPlan, finished: &mut Finished) -> io::Result<()> {
    let Some(seed) = keep_replay(keeper, &mut finished.report)? else {
        return keeper.list(&finished.report);
    };
    let plan = CellPlan { seed, ..plan.clone() };
    keeper.keep(&plan, finished)
}

/// Keeps the replay of a violation, where there is one, and gives its seed.
pub(crate) fn keep_replay(keeper: &Keeper, report: &mut CellReport) -> io::Result<Option<u64>> {
    let CellReport { scenario, strategy, exploration, .. } = report;
    let violation =
        exploration.as_mut().and_then(|Exploration { violation, .. }| violation.as_mut());
    let Some(violation) = violation else { return Ok(None) };
    let path = keeper.keep_replay(CellName { scenario, strategy }, violation)?;
    violation.path = Some(path.display().to_string());
    Ok(Some(violation.seed))
}

/// The command that repeats the search, seed included.
fn command(arguments: &ExploreArguments, seed: u64) -> String {
    let mut words = vec!["lockproof explore".to_owned()];
    words.extend(arguments.paths.iter().map(|path| path.display().to_string()));
    if !arguments.strategy.is_empty() {
        words.push(format!("--strategy {}", arguments.strategy.join(",")));
    }
    words.push(format!("--seeds {}", arguments.seeds));
    if let Some(time) = arguments.time {
        let time: Duration = time;
        words.push(format!(
            "--time {}",
            humantime::format_duration(time).to_string().replace(' ', "")
        ));
    }
    words.extend(arguments.buggify.flag());
    match arguments.seek {
        Seek::Effect => {}
        Seek::Belief => words.push("--seek belief".to_owned()),
        Seek::Liveness => words.push("--seek liveness".to_owned()),
        Seek::Any => words.push("--seek any".to_owned()),
    }
    if arguments.wire.wire {
        words.push("--wire".to_owned());
    }
    if arguments.keep_histories {
        words.push("--keep-histories".to_owned());
    }
    words.extend(arguments.partition.map(|slice| format!("--partition {slice}")));
    words.push(format!("--seed {seed:#x}"));
    words.join(" ")
}

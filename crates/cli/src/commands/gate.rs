//! `lockproof gate`: what CI calls. A search, then a run, one report and one exit code.

use std::io;
use std::path::Path;
use std::sync::Arc;

use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{Baseline, CellReport, Manifest, RESULTS_SCHEMA_VERSION, RunReport, World};
use lockproof_report::{Latest, read_baseline, write_baseline};
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{PROVIDERS, ProviderEntry};
use lockproof_runner::{
    CellPlan, Costs, MIN_PAIRS, Matrix, Search, attempts_of, baseline, cells_of, explore_cell,
    hold_against, joined, worst_of_each,
};
use lockproof_scenario::Scenario;

use crate::arguments::{Color, GateArguments};
use crate::commands::explore::{keep_replay, search_of_tables};
use crate::commands::run::{
    end, fit_for_engine, fit_for_provider, jobs, label, of_database, provider, settings, started_by,
};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::keeper::Keeper;
use crate::progress::Display;
use crate::selection::{self, ByWorld};
use crate::{machine, results, servers, terminal};

mod attempts;

use attempts::Watcher;

pub(crate) fn run(arguments: &GateArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    // Everything that can be rejected is rejected before a server is started.
    let entry = provider(&arguments.provider)?;
    let old = arguments.baseline.as_deref().map(read).transpose()?;
    let scenarios = selection::load(&arguments.paths, &arguments.strategy)?;
    let ByWorld { sim, live } = selection::by_world(&scenarios)?;
    let live = standing(entry, arguments, live)?;
    if sim.is_empty() && live.is_empty() {
        return Err(Failure::usage(
            "nothing is left to try: neither world can do what these scenarios ask for",
        ));
    }
    let servers = match live.is_empty() {
        true => ExternalServers::default(),
        false => {
            let destructive = arguments.allow_destructive;
            servers::of_run(entry, &arguments.servers, &live, destructive)?
        }
    };
    let elsewhere = results::Elsewhere::new(arguments.junit.as_deref())?;
    let interrupt = Interrupt::listen(Interrupt::REPORTING)
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = seed(arguments, old.as_ref());
    let world = if live.is_empty() { World::Sim } else { World::Live };
    let provided = if live.is_empty() { "simulated" } else { entry.name };
    let command = command(arguments, &servers, seed);
    let manifest = machine::manifest(command, seed, world, provided, None);
    let mut keeper = Keeper::create(&arguments.out, &scenarios, &manifest)?;
    let took = stopwatch();
    let (searches, runs) = (cells_of(&sim, seed), cells_of(&live, seed));
    let attempts = attempts_of(&runs, attempts(arguments));
    let display = Display::new(arguments.show_progress, searches.len() + attempts.len());
    let mut watcher = Watcher::new(display, &keeper, runs.len());

    let searched = searched(&searches, arguments, &interrupt, &mut watcher);
    let ran = match live.is_empty() || interrupt.exit().is_some() {
        true => Vec::new(),
        false => {
            let provider = started_by(entry, &servers)?;
            let jobs = jobs(arguments.jobs, Some(provider.as_ref()), &live);
            let limit = arguments.cell_limit;
            let settings = settings(limit, Some(Arc::clone(&provider)), &interrupt, verbose);
            let ran = Matrix { plans: attempts, jobs, settings }.run(&mut watcher);
            end(provider.as_ref());
            ran
        }
    };
    let Watcher { display, costs, trouble, .. } = watcher;
    display.end();

    let names: Vec<_> = cells_of(&scenarios, seed).iter().map(name).collect();
    let mut cells = joined(&names, searched, worst_of_each(ran));
    if let Some(old) = &old {
        hold_against_baseline(old, entry, &mut cells, &costs, arguments);
    }
    let manifest = Manifest { took: took(), interrupted: interrupt.exit().is_some(), ..manifest };
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells };
    let kept = keeper.finish(&report);
    // The results are shown even when they could not be kept: they are all that is left then.
    results::show(arguments.format, &report, Some(&keeper.path()), color, verbose)?;
    elsewhere.tell(&report)?;
    if let Ok(Latest::Occupied(path)) = &kept {
        terminal::error(&format!("{} is no link and was left alone", path.display()));
    }
    if let Some(error) = trouble.or(kept.err()) {
        return Err(Failure::infrastructure(format!("the report is incomplete: {error}")));
    }
    let exit = interrupt.exit().unwrap_or_else(|| report.status().into());
    if let Some(directory) = &arguments.save_baseline {
        save(directory, &baseline(&report.manifest, &report.cells, &costs), exit)?;
    }
    Ok(exit)
}

fn read(directory: &Path) -> Result<Baseline, Failure> {
    read_baseline(directory).map_err(|error| Failure::usage(format!("--baseline: {error}")))
}

/// What of `live` stands on this provider; the rest is left to the search, aloud. What was named has to stand.
fn standing(
    entry: &ProviderEntry,
    arguments: &GateArguments,
    live: Vec<Arc<Scenario>>,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let live = of_database(arguments.database.as_deref(), World::Live, live)?;
    let (live, mut told) = fit_for_provider(entry, live);
    let (live, unfit) = fit_for_engine(entry, live);
    if !unfit.is_empty() && !arguments.strategy.is_empty() {
        return Err(Failure::usage(unfit.join("\n") + "; use --provider process"));
    }
    told.extend(unfit);
    told.iter().for_each(|line| terminal::error(&format!("not run live: {line}")));
    Ok(live)
}

/// Costs are compared under the seed of the baseline: the same load and the same faults.
fn seed(arguments: &GateArguments, old: Option<&Baseline>) -> u64 {
    let paired = old.filter(|_| arguments.max_regression.is_some()).map(|old| old.seed);
    arguments.seed.or(paired).unwrap_or_else(entropy)
}

fn attempts(arguments: &GateArguments) -> u32 {
    let usual = match arguments.max_regression {
        Some(_) => u32::try_from(MIN_PAIRS).unwrap_or(u32::MAX),
        None => 1,
    };
    arguments.attempts.unwrap_or(usual)
}

fn name(plan: &CellPlan) -> (String, String) {
    (plan.scenario.name.clone(), plan.cell.strategy.to_string())
}

fn searched(
    plans: &[CellPlan],
    arguments: &GateArguments,
    interrupt: &Interrupt,
    watcher: &mut Watcher<'_>,
) -> Vec<CellReport> {
    let search = Search {
        time: arguments.time,
        buggify: arguments.buggify.bounds(),
        ..search_of_tables(arguments.seeds, arguments.jobs, interrupt)
    };
    let mut cells = Vec::with_capacity(plans.len());
    for plan in plans.iter().take_while(|_| interrupt.exit().is_none()) {
        watcher.display.begun(label(plan));
        let mut report = explore_cell(plan, &search, stopwatch(), &|_| {}).report;
        if let Err(error) = keep_replay(watcher.keeper, &mut report) {
            watcher.trouble.get_or_insert(error);
        }
        watcher.display.finished(&label(plan), &report);
        cells.push(report);
    }
    cells
}

/// Judges the cells anew and says what there is to say of the whole.
fn hold_against_baseline(
    old: &Baseline,
    entry: &ProviderEntry,
    cells: &mut [CellReport],
    costs: &Costs,
    arguments: &GateArguments,
) {
    let mut allowed = arguments.max_regression;
    let machine = machine::description();
    if allowed.is_some() && (old.provider != entry.name || old.machine != machine) {
        terminal::error(&format!(
            "the baseline's costs are of the provider {} on {}, these of {} on {machine}: they are not compared",
            old.provider, old.machine, entry.name
        ));
        allowed = None;
    }
    for note in hold_against(old, cells, costs, allowed) {
        terminal::error(&format!("baseline of {}: {note}", old.started));
    }
}

/// A violation that became a baseline would be excused for ever, and half a gate would hold later ones to half.
fn save(directory: &Path, baseline: &Baseline, exit: Exit) -> Result<(), Failure> {
    if matches!(exit, Exit::Violated | Exit::Interrupted | Exit::Terminated) {
        terminal::error("no baseline was kept: this gate did not hold, or was interrupted");
        return Ok(());
    }
    let cannot = |error: io::Error| Failure::infrastructure(format!("--save-baseline: {error}"));
    let path = write_baseline(directory, baseline).map_err(cannot)?;
    terminal::error(&format!("kept as a baseline: {}", path.display()));
    Ok(())
}

/// The command that repeats the gate, seed included.
fn command(arguments: &GateArguments, servers: &ExternalServers, seed: u64) -> String {
    let mut words = vec!["lockproof gate".to_owned()];
    words.extend(arguments.paths.iter().map(|path| path.display().to_string()));
    if !arguments.strategy.is_empty() {
        words.push(format!("--strategy {}", arguments.strategy.join(",")));
    }
    words.push(format!("--seeds {}", arguments.seeds));
    if let Some(time) = arguments.time {
        let time = humantime::format_duration(time).to_string().replace(' ', "");
        words.push(format!("--time {time}"));
    }
    words.extend(arguments.buggify.flag());
    if attempts(arguments) > 1 {
        words.push(format!("--attempts {}", attempts(arguments)));
    }
    if let Some(directory) = &arguments.baseline {
        words.push(format!("--baseline {}", directory.display()));
    }
    if let Some(allowed) = arguments.max_regression {
        words.push(format!("--max-regression {}%", allowed.most * 100.0));
    }
    if arguments.provider != PROVIDERS[0].name {
        words.push(format!("--provider {}", arguments.provider));
    }
    if let Some(database) = &arguments.database {
        words.push(format!("--database {database}"));
    }
    let destructive = if arguments.allow_destructive { " --allow-destructive" } else { "" };
    let flags = servers::flags(servers);
    format!("{}{flags}{destructive} --seed {seed:#x}", words.join(" "))
}

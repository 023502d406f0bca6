//! `lockproof run`: every scenario under every strategy, live or one simulated schedule of each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{CellReport, Manifest, RESULTS_SCHEMA_VERSION, RunReport, World, in_full};
use lockproof_report::Latest;
use lockproof_rig::live::{PROVIDERS, Provider, ProviderEntry, find_provider};
use lockproof_rig::sim::RedisDriver;
use lockproof_rig::{DatabaseEngine, ExternalServers};
use lockproof_runner::{CellPlan, CellSettings, Finished, Matrix, Observer, Running, cells_of};
use lockproof_scenario::{Cell, Scenario, nearest};

use crate::arguments::{Color, RunArguments, WorldName};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::keeper::Keeper;
use crate::progress::Display;
use crate::{commands, machine, results, selection, servers, terminal};

/// Threads mostly wait for holders that mostly wait.
const JOBS_PER_PROCESSOR: usize = 4;

pub(crate) fn run(arguments: &RunArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    // Everything that can be rejected is rejected before a server is started.
    let driver = arguments.wire.driver(arguments.world)?;
    let scenarios = selection::load(&arguments.paths, &arguments.strategy)?;
    let world = match arguments.world {
        WorldName::Live => World::Live,
        WorldName::Sim => World::Sim,
    };
    let scenarios = selection::of_world(scenarios, world)?;
    let entry = provider(&arguments.provider)?;
    let scenarios = of_database(arguments.database.as_deref(), world, scenarios)?;
    let (scenarios, servers) = match world {
        World::Live => {
            let scenarios = of_provider(entry, scenarios)?;
            let scenarios = of_engine(entry, scenarios, &arguments.strategy)?;
            let destructive = arguments.allow_destructive;
            let servers = servers::of_run(entry, &arguments.servers, &scenarios, destructive)?;
            (scenarios, servers)
        }
        World::Sim => (scenarios, ExternalServers::default()),
    };
    let elsewhere = results::Elsewhere::new(arguments.junit.as_deref())?;
    let interrupt = Interrupt::listen(Interrupt::REPORTING)
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = arguments.seed.unwrap_or_else(entropy);
    let provider = match world {
        World::Live => Some(started_by(entry, &servers)?),
        World::Sim => None,
    };
    let provided = if world == World::Sim { "simulated" } else { entry.name };
    let command = command(arguments, &servers, seed);
    let manifest = machine::manifest(command, seed, world, provided, arguments.partition);
    let mut keeper = Keeper::create(&arguments.out, &scenarios, &manifest)?;
    let took = stopwatch();
    let matrix = Matrix {
        plans: plans(arguments, &scenarios, seed, driver),
        jobs: jobs(arguments.jobs, provider.as_deref(), &scenarios),
        settings: settings(arguments.cell_limit, provider, &interrupt, verbose),
    };
    let display = Display::new(arguments.show_progress, matrix.plans.len());
    let mut watcher = Watcher { display, keeper: &keeper, trouble: None };
    let cells = matrix.run(&mut watcher);
    watcher.display.end();
    let trouble = watcher.trouble;
    matrix.settings.provider.iter().for_each(|provider| end(provider.as_ref()));
    let manifest = Manifest { took: took(), interrupted: interrupt.exit().is_some(), ..manifest };
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells };
    let kept = keeper.finish(&report);
    // The results are shown even when they could not be kept: they are all that is left then.
    results::show(arguments.format, &report, Some(&keeper.path()), color, verbose)?;
    elsewhere.tell(&report)?;
    if let Ok(Latest::Occupied(path)) = &kept {
        terminal::error(&format!("{} is no link and was left alone", path.display()));
    }
    match trouble.or(kept.err()) {
        Some(error) => Err(Failure::infrastructure(format!("the report is incomplete: {error}"))),
        None => Ok(interrupt.exit().unwrap_or_else(|| report.status().into())),
    }
}

pub(crate) fn provider(name: &str) -> Result<&'static ProviderEntry, Failure> {
    find_provider(name).ok_or_else(|| {
        let names: Vec<_> = PROVIDERS.iter().map(|entry| entry.name).collect();
        let meant = nearest(name, names.iter().copied());
        let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let available = names.join(", ");
        Failure::usage(format!("unknown provider `{name}`; {meant}available: {available}"))
    })
}

/// The scenarios with their bookings in the database called `name`, where one is named.
pub(crate) fn of_database(
    name: Option<&str>,
    world: World,
    scenarios: Vec<Arc<Scenario>>,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let Some(name) = name else { return Ok(scenarios) };
    let Some(engine) = DatabaseEngine::find(name) else {
        let names = DatabaseEngine::ALL.map(DatabaseEngine::word);
        let meant = nearest(name, names.iter().copied());
        let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let available = names.join(", ");
        return Err(Failure::usage(format!(
            "unknown database `{name}`; {meant}available: {available}"
        )));
    };
    if world == World::Sim {
        return Err(Failure::usage(
            "--database is for the live world, and the simulated one has a model of Postgres; use --world live or leave --database out",
        ));
    }
    let on = |scenario: Arc<Scenario>| {
        Arc::new(Scenario { engine: Some(engine), ..Arc::unwrap_or_clone(scenario) })
    };
    Ok(scenarios.into_iter().map(on).collect())
}

/// The scenarios whose faults can be done to what the provider has; the others would never bite. Among those that can
/// they are skipped aloud, by themselves they are refused.
fn of_provider(
    provider: &ProviderEntry,
    scenarios: Vec<Arc<Scenario>>,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let (kept, told) = fit_for_provider(provider, scenarios);
    if kept.is_empty() {
        return Err(Failure::usage(told.join("\n")));
    }
    told.iter().for_each(|line| terminal::error(&format!("skipped {line}")));
    Ok(kept)
}

/// Those scenarios that the provider can have, and why it cannot have the others.
pub(crate) fn fit_for_provider(
    provider: &ProviderEntry,
    scenarios: Vec<Arc<Scenario>>,
) -> (Vec<Arc<Scenario>>, Vec<String>) {
    let mut told = Vec::new();
    let mut fits = |scenario: &Arc<Scenario>| match why_not_on(provider, scenario) {
        None => true,
        Some(why) => {
            told.push(format!("{}: {why}", scenario.path.display()));
            false
        }
    };
    let kept = scenarios.into_iter().filter(|scenario| fits(scenario)).collect();
    (kept, told)
}

pub(crate) fn why_not_on(provider: &ProviderEntry, scenario: &Scenario) -> Option<String> {
    let name = provider.name;
    if let Some(what) = scenario.needs_database_server().filter(|_| !provider.has_database_link()) {
        return Some(format!(
            "{what}, and that of the provider {name} is a file; use --provider process"
        ));
    }
    if let Some(engine) = scenario.engine {
        if !provider.databases.contains(&engine) {
            let has: Vec<_> = provider.databases.iter().map(|engine| engine.word()).collect();
            let has = has.join(", ");
            return Some(format!("the provider {name} has no {engine}; it has {has}"));
        }
        if let Some(why) = scenario.unfit_for(engine) {
            return Some(why);
        }
    }
    if let Some(why) = (provider.refuses_topology)(scenario.topology) {
        let topology = scenario.topology;
        return Some(format!(
            "its Redis is a {topology}, which the provider {name} does not have: {why}; use --provider process"
        ));
    }
    if let Some((why, cell)) = provider.refuses_coordinators.zip(on_a_coordinator(scenario)) {
        let strategy = cell.strategy;
        return Some(format!(
            "{strategy} needs a coordination service, which the provider {name} does not have: {why}; use --provider process, or choose others with --strategy"
        ));
    }
    if let Some(why) = provider.refuses_replicas.filter(|_| scenario.server_needs().replicas > 0) {
        return Some(format!(
            "its Redis has replicas, which the provider {name} does not have: {why}; use --provider process"
        ));
    }
    scenario.faults.iter().find_map(|plan| {
        let effect = plan.fault.server_effect()?;
        let why = plan.server_kinds().find_map(|kind| (provider.refuses)(kind, effect))?;
        let (number, label) = (plan.number, plan.label());
        let elsewhere = if name == "process" { "" } else { "; use --provider process" };
        let simulated = if plan.needs_live().is_some() { "" } else { ", or --world sim" };
        Some(format!(
            "fault {number} ({label}) cannot be done to the servers of the provider {name}: {why}{elsewhere}{simulated}"
        ))
    })
}

fn on_a_coordinator(scenario: &Scenario) -> Option<&Cell> {
    scenario.cells.iter().find(|cell| cell.strategy.lock.needs.coordinator().is_some())
}

/// The cells that the provider's database can have. Among those that it can the others are skipped aloud; asked for by
/// name, or by themselves, they are refused.
fn of_engine(
    provider: &ProviderEntry,
    scenarios: Vec<Arc<Scenario>>,
    named: &[String],
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let (kept, told) = fit_for_engine(provider, scenarios);
    if !told.is_empty() && (kept.is_empty() || !named.is_empty()) {
        let elsewhere = "; use --provider process, or --world sim";
        return Err(Failure::usage(told.join("\n") + elsewhere));
    }
    told.iter().for_each(|line| terminal::error(&format!("skipped {line}")));
    Ok(kept)
}

/// Those cells that the provider's database can have, and why it cannot have the others.
pub(crate) fn fit_for_engine(
    provider: &ProviderEntry,
    scenarios: Vec<Arc<Scenario>>,
) -> (Vec<Arc<Scenario>>, Vec<String>) {
    let mut told = Vec::new();
    let kept = scenarios.into_iter().map(|mut scenario| {
        let engine = provider.engine_of(scenario.engine).word();
        let whys = scenario.cells.iter().filter_map(|cell| cell.strategy.unsupported_on(engine));
        let whys: Vec<_> = whys.map(|why| format!("{}: {why}", scenario.path.display())).collect();
        if !whys.is_empty() {
            let cells = &mut Arc::make_mut(&mut scenario).cells;
            cells.retain(|cell| cell.strategy.unsupported_on(engine).is_none());
        }
        told.extend(whys);
        scenario
    });
    let kept = kept.filter(|scenario| !scenario.cells.is_empty()).collect();
    (kept, told)
}

/// Ends what the provider made for this run, and says so where something stays.
pub(crate) fn end(provider: &dyn Provider) {
    if let Err(error) = provider.end() {
        terminal::error(&format!(
            "what this run made is still there, and `lockproof doctor --sweep` removes it: {}",
            in_full(&error)
        ));
    }
}

pub(crate) fn started_by(
    entry: &ProviderEntry,
    servers: &ExternalServers,
) -> Result<Arc<dyn Provider>, Failure> {
    let provider =
        (entry.start)(servers).map_err(|error| Failure::infrastructure(in_full(&error)))?;
    provider.notices().iter().for_each(|notice| terminal::error(notice));
    Ok(provider)
}

pub(crate) fn settings(
    limit: Duration,
    provider: Option<Arc<dyn Provider>>,
    interrupt: &Interrupt,
    verbose: u8,
) -> CellSettings {
    CellSettings {
        provider,
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        limit,
        halt: Arc::clone(&interrupt.halt),
        holders: commands::holder::program(verbose),
    }
}

pub(crate) fn jobs(
    asked: Option<u16>,
    provider: Option<&dyn Provider>,
    scenarios: &[Arc<Scenario>],
) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let Some(provider) = provider else {
        // A simulated cell never waits.
        return asked.map_or(processors, usize::from);
    };
    let most = scenarios.iter().map(|scenario| scenario.load.holders).max().unwrap_or(1);
    // Each holder has a connection of its own, and the judge and the table's maker one each.
    let by_cell = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(2);
    let room = provider.spare_connections().map_or(usize::MAX, |spare| (spare / by_cell).max(1));
    asked.map_or((processors * JOBS_PER_PROCESSOR).min(room), usize::from)
}

/// The cells of the run, or of the slice of it.
fn plans(
    arguments: &RunArguments,
    scenarios: &[Arc<Scenario>],
    seed: u64,
    driver: RedisDriver,
) -> Vec<CellPlan> {
    let plans = cells_of(scenarios, seed).into_iter().map(|plan| plan.driven_by(driver));
    plans.filter(|plan| arguments.partition.is_none_or(|slice| plan.is_in(slice))).collect()
}

/// The command that repeats the run, seed included.
fn command(arguments: &RunArguments, servers: &ExternalServers, seed: u64) -> String {
    let mut command = "lockproof run".to_owned();
    for path in &arguments.paths {
        command.push(' ');
        command.push_str(&path.display().to_string());
    }
    if !arguments.strategy.is_empty() {
        command.push_str(" --strategy ");
        command.push_str(&arguments.strategy.join(","));
    }
    if arguments.world == WorldName::Sim {
        command.push_str(" --world sim");
    }
    if arguments.wire.wire {
        command.push_str(" --wire");
    }
    if arguments.provider != PROVIDERS[0].name {
        command.push_str(" --provider ");
        command.push_str(&arguments.provider);
    }
    if let Some(database) = &arguments.database {
        command.push_str(" --database ");
        command.push_str(database);
    }
    command.push_str(&servers::flags(servers));
    if arguments.allow_destructive {
        command.push_str(" --allow-destructive");
    }
    if let Some(slice) = arguments.partition {
        command.push_str(" --partition ");
        command.push_str(&slice.to_string());
    }
    format!("{command} --seed {seed:#x}")
}

/// Keeps what ends and shows how far the run is.
struct Watcher<'a> {
    display: Display,
    keeper: &'a Keeper,
    /// The first thing that could not be kept; the run goes on, and its end says so.
    trouble: Option<io::Error>,
}

impl Watcher<'_> {
    fn note(&mut self, kept: io::Result<()>) {
        if let Err(error) = kept {
            self.trouble.get_or_insert(error);
        }
    }
}

impl Observer for Watcher<'_> {
    fn begun(&mut self, plan: &CellPlan) {
        self.display.begun(label(plan));
    }

    fn shown(&mut self, plan: &CellPlan, running: Running) {
        let followed = self.keeper.follow(plan, running);
        self.note(followed);
    }

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        let kept = self.keeper.keep(plan, &finished);
        self.note(kept);
        self.display.finished(&label(plan), &finished.report);
        finished.report
    }
}

pub(crate) fn label(plan: &CellPlan) -> String {
    format!("{} · {}", plan.scenario.name, plan.cell.strategy)
}

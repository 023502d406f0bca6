//! `lockproof run`: every scenario under every strategy, live.

use std::io::{self, Write};
use std::sync::Arc;

use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{
    CellReport, Instant, Manifest, RESULTS_SCHEMA_VERSION, RunReport, World, in_full,
};
use lockproof_report::{CellName, HistogramInterval, Latest, ReportDirectory, Settings};
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{PROVIDERS, Provider, ProviderEntry, find_provider};
use lockproof_runner::{Artifacts, CellPlan, CellSettings, Finished, Matrix, Observer, cells_of};
use lockproof_scenario::{Cell, Scenario, Strategy, nearest, resolved};

use crate::arguments::{Color, Format, RunArguments};
use crate::exit::{Exit, Failure};
use crate::files::scenario_files;
use crate::interrupt::Interrupt;
use crate::progress::Display;
use crate::{machine, servers, terminal};

/// Threads mostly wait for holders that mostly wait.
const JOBS_PER_PROCESSOR: usize = 4;

pub(crate) fn run(arguments: &RunArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    // Everything that can be rejected is rejected before a server is started.
    let scenarios = load(arguments)?;
    let entry = provider(&arguments.provider)?;
    check_links(entry, &scenarios)?;
    let servers =
        servers::of_run(entry, &arguments.servers, &scenarios, arguments.allow_destructive)?;
    let interrupt = Interrupt::listen()
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = arguments.seed.unwrap_or_else(entropy);
    let provider =
        (entry.start)(&servers).map_err(|error| Failure::infrastructure(in_full(&error)))?;
    provider.notices().iter().for_each(|notice| terminal::error(notice));
    let keeper = Keeper::create(arguments, &scenarios)?;
    let (started, took) = (machine::utc(), stopwatch());
    let matrix = Matrix {
        plans: cells_of(&scenarios, seed),
        jobs: jobs(arguments, provider.as_ref(), &scenarios),
        settings: settings(arguments, provider, &interrupt),
    };
    let display = Display::new(arguments.show_progress, matrix.plans.len());
    let mut watcher = Watcher { display, keeper: &keeper, trouble: None };
    let cells = matrix.run(&mut watcher);
    watcher.display.end();
    if let Err(error) = matrix.settings.provider.end() {
        terminal::error(&format!(
            "what this run made is still there, and `lockproof doctor --sweep` removes it: {}",
            in_full(&error)
        ));
    }
    let manifest = Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: machine::revision(),
        command: command(arguments, &servers, seed),
        seed,
        world: World::Live,
        provider: entry.name.to_owned(),
        started,
        took: took(),
        machine: machine::description(),
        interrupted: interrupt.exit().is_some(),
    };
    let report = RunReport { schema_version: RESULTS_SCHEMA_VERSION, manifest, cells };
    let kept = keeper.directory.finish(&report);
    // The results are shown even when they could not be kept: they are all that is left then.
    show(arguments, &report, &keeper, color, verbose)?;
    if let Ok(Latest::Occupied(path)) = &kept {
        terminal::error(&format!("{} is no link and was left alone", path.display()));
    }
    match watcher.trouble.or(kept.err()) {
        Some(error) => Err(Failure::infrastructure(format!("the report is incomplete: {error}"))),
        None => Ok(interrupt.exit().unwrap_or_else(|| report.status().into())),
    }
}

fn load(arguments: &RunArguments) -> Result<Vec<Arc<Scenario>>, Failure> {
    let mut problems = Vec::new();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for path in scenario_files(&arguments.paths)? {
        match lockproof_scenario::load(&path) {
            Ok(scenario) => match scenarios.iter().find(|known| known.name == scenario.name) {
                Some(known) => problems.push(format!(
                    "{}: the name {} is taken by {}",
                    path.display(),
                    scenario.name,
                    known.path.display()
                )),
                None => scenarios.push(scenario),
            },
            Err(error) => problems.push(error.to_string()),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::usage(format!("invalid scenario\n{}", problems.join("\n"))));
    }
    select(&mut scenarios, &arguments.strategy)?;
    Ok(scenarios.into_iter().map(Arc::new).collect())
}

/// Keeps the wanted strategies. One that no scenario names runs in all of them and is expected to be safe.
fn select(scenarios: &mut [Scenario], wanted: &[String]) -> Result<(), Failure> {
    if wanted.is_empty() {
        return Ok(());
    }
    let parse = |text: &String| {
        Strategy::parse(text).map_err(|error| Failure::usage(format!("--strategy: {error}")))
    };
    let wanted: Vec<Strategy> = wanted.iter().map(parse).collect::<Result<_, _>>()?;
    let named = |scenarios: &[Scenario], strategy: &Strategy| {
        scenarios.iter().any(|scenario| scenario.cell(strategy).is_some())
    };
    let foreign: Vec<_> = wanted.iter().filter(|wanted| !named(scenarios, wanted)).collect();
    for scenario in scenarios.iter_mut() {
        let mut cells: Vec<Cell> =
            wanted.iter().filter_map(|strategy| scenario.cell(strategy)).collect();
        for strategy in &foreign {
            scenario
                .admits(strategy)
                .map_err(|why| Failure::usage(format!("--strategy: {why}")))?;
            cells.push(Cell::expected_safe(**strategy));
        }
        scenario.cells = cells;
    }
    Ok(())
}

fn provider(name: &str) -> Result<&'static ProviderEntry, Failure> {
    find_provider(name).ok_or_else(|| {
        let names: Vec<_> = PROVIDERS.iter().map(|entry| entry.name).collect();
        let meant = nearest(name, names.iter().copied());
        let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let available = names.join(", ");
        Failure::usage(format!("unknown provider `{name}`; {meant}available: {available}"))
    })
}

/// A fault on a link that the provider does not have would never bite.
fn check_links(provider: &ProviderEntry, scenarios: &[Arc<Scenario>]) -> Result<(), Failure> {
    let lacking = |scenario: &&Arc<Scenario>| scenario.disturbs_database_link();
    match scenarios.iter().find(lacking) {
        Some(scenario) if !provider.database_link => Err(Failure::usage(format!(
            "{}: a fault disturbs the link to the database, and the provider {} has none; use --provider process",
            scenario.path.display(),
            provider.name
        ))),
        _ => Ok(()),
    }
}

fn settings(
    arguments: &RunArguments,
    provider: Arc<dyn Provider>,
    interrupt: &Interrupt,
) -> CellSettings {
    CellSettings {
        provider,
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        limit: arguments.cell_limit,
        halt: Arc::clone(&interrupt.halt),
    }
}

fn jobs(arguments: &RunArguments, provider: &dyn Provider, scenarios: &[Arc<Scenario>]) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let most = scenarios.iter().map(|scenario| scenario.load.holders).max().unwrap_or(1);
    // Each holder has a connection of its own, and the judge and the table's maker one each.
    let by_cell = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(2);
    let room = provider.spare_connections().map_or(usize::MAX, |spare| (spare / by_cell).max(1));
    arguments.jobs.map_or((processors * JOBS_PER_PROCESSOR).min(room), usize::from)
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
    if arguments.provider != PROVIDERS[0].name {
        command.push_str(" --provider ");
        command.push_str(&arguments.provider);
    }
    command.push_str(&servers::flags(servers));
    if arguments.allow_destructive {
        command.push_str(" --allow-destructive");
    }
    format!("{command} --seed {seed:#x}")
}

fn show(
    arguments: &RunArguments,
    report: &RunReport,
    keeper: &Keeper,
    color: Color,
    verbose: u8,
) -> Result<(), Failure> {
    let name = match arguments.format {
        Format::Text => "text",
        Format::Json => "json",
    };
    let rendering = lockproof_report::find(name).expect("both formats are in the catalog");
    let settings = Settings {
        style: terminal::style(color, verbose),
        directory: Some(keeper.directory.path()),
    };
    let mut out = io::stdout().lock();
    let written = (rendering.build)(&settings).render(report, &mut out).and_then(|()| out.flush());
    match written {
        // Whoever read as much as they wanted closed the pipe; the report is on disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::infrastructure(format!("cannot write the results: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Keeps each cell on disk as soon as it has ended.
struct Keeper {
    directory: ReportDirectory,
}

impl Keeper {
    fn create(arguments: &RunArguments, scenarios: &[Arc<Scenario>]) -> Result<Self, Failure> {
        let cannot = |error| Failure::infrastructure(format!("cannot keep a report: {error}"));
        let name = match scenarios {
            [only] => only.name.clone(),
            several => format!("{}-scenarios", several.len()),
        };
        let stem = format!("{}-{name}", machine::utc_for_file_names());
        let directory = ReportDirectory::create(&arguments.out, &stem).map_err(cannot)?;
        for scenario in scenarios {
            directory.write_scenario(&scenario.name, &resolved(scenario)).map_err(cannot)?;
        }
        Ok(Self { directory })
    }

    fn keep(&self, plan: &CellPlan, finished: &Finished) -> io::Result<()> {
        let Some(Artifacts { history, table, latencies }) = &finished.artifacts else {
            return Ok(());
        };
        let cell =
            CellName { scenario: &finished.report.scenario, strategy: &finished.report.strategy };
        self.directory.write_history(cell, plan.seed, history, table)?;
        let interval = |label, histogram| HistogramInterval {
            label,
            started: Instant::ZERO,
            duration: finished.report.took,
            histogram,
        };
        let steps =
            latencies.steps.iter().map(|(step, histogram)| interval(step.word(), histogram));
        let whole = [
            interval("entry", &latencies.entry),
            interval("response", &latencies.response),
            interval("service", &latencies.service),
        ];
        let intervals: Vec<_> = steps.chain(whole).collect();
        self.directory.write_histograms(cell, &intervals).map(drop)
    }
}

/// Keeps what ends and shows how far the run is.
struct Watcher<'a> {
    display: Display,
    keeper: &'a Keeper,
    /// The first thing that could not be kept; the run goes on, and its end says so.
    trouble: Option<io::Error>,
}

impl Observer for Watcher<'_> {
    fn begun(&mut self, plan: &CellPlan) {
        self.display.begun(label(plan));
    }

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        if let Err(error) = self.keeper.keep(plan, &finished) {
            self.trouble.get_or_insert(error);
        }
        self.display.finished(&label(plan), &finished.report);
        finished.report
    }
}

fn label(plan: &CellPlan) -> String {
    format!("{} · {}", plan.scenario.name, plan.cell.strategy)
}

//! `lockproof compare`: strategies beside each other, by what breaks them and by what they cost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{Asked, CellReport, Cost, FAILURE_MODES, World, failure_mode};
use lockproof_report::ComparisonFormat;
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{PROVIDERS, ProviderEntry};
use lockproof_runner::{
    CellPlan, CellSettings, Contest, Finished, Matrix, Observer, cells_of, compare, contestants,
    cost_of, explore_cell, undisturbed,
};
use lockproof_scenario::{Scenario, Strategy, nearest};

use crate::arguments::{Color, CompareArguments, CompareFormat};
use crate::commands::explore::search_of_tables;
use crate::commands::run::{end, label, provider, started_by, why_not_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::progress::Display;
use crate::{results, selection, servers, terminal};

/// An undisturbed sale is over in less, on any machine.
const SALE_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run(
    arguments: &CompareArguments,
    color: Color,
    verbose: u8,
) -> Result<Exit, Failure> {
    // Everything that can be rejected is rejected before anything starts.
    let asked = asked(arguments)?;
    let scenarios = selection::load(&arguments.paths, &arguments.strategy)?;
    let scenarios = selection::of_world(scenarios, World::Sim)?;
    let named = !arguments.strategy.is_empty();
    let strategies = contestants(scenarios.iter().map(|scenario| &**scenario), named);
    if strategies.is_empty() {
        return Err(Failure::usage(
            "these scenarios have controls alone, which are unsafe on purpose; name those to compare: --strategy",
        ));
    }
    let entry = provider(&arguments.provider)?;
    let (sale, mut costs) = sale(entry, &strategies, arguments.no_cost);
    let servers = match sale.cells.is_empty() {
        true => ExternalServers::default(),
        false => servers::of_run(entry, &arguments.servers, &[Arc::clone(&sale)], false)?,
    };
    let interrupt = Interrupt::listen("ending attempts, stopping servers; nothing is ranked")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = arguments.seed.unwrap_or_else(entropy);
    let mut plans = cells_of(&scenarios, seed);
    plans.retain(|plan| strategies.contains(&plan.cell.strategy));
    let mut display = Display::new(arguments.show_progress, plans.len() + sale.cells.len());
    let explored = explored(&plans, arguments, &interrupt, &mut display);
    let sales = cells_of(&[sale], seed);
    if interrupt.exit().is_none() && !sales.is_empty() {
        costs.extend(measured(sales, entry, &servers, &interrupt, &mut display)?);
    }
    display.end();
    if let Some(exit) = interrupt.exit() {
        return Ok(exit);
    }
    let place = format!(
        "real sockets by 400 attempts of eight holders, each for a slot of its own and without a fault, servers of the provider {}",
        entry.name
    );
    let comparison = compare(&Contest {
        strategies: &strategies,
        explored: &explored,
        costs: &costs,
        cost_of: (!arguments.no_cost).then_some(place.as_str()),
        asked: &asked,
        schedules: arguments.seeds,
        command: &command(arguments, &servers, seed),
    });
    let format = match arguments.format {
        CompareFormat::Text => ComparisonFormat::Text(terminal::style(color, verbose)),
        CompareFormat::Markdown => ComparisonFormat::Markdown,
        CompareFormat::Json => ComparisonFormat::Json,
    };
    results::show_comparison(format, &comparison)?;
    if comparison.ranked.is_empty() {
        terminal::error(
            "no strategy here is what --require and --max-p99 ask for; why not is said of each",
        );
        return Ok(Exit::Violated);
    }
    Ok(Exit::Held)
}

fn asked(arguments: &CompareArguments) -> Result<Asked, Failure> {
    let known = |id: &String| match failure_mode(id) {
        Some(mode) => Ok(mode.id.to_owned()),
        None => {
            let ids = || FAILURE_MODES.iter().map(|mode| mode.id);
            let meant = nearest(id, ids()).map(|id| format!("; did you mean `{id}`?"));
            let (first, last) = (FAILURE_MODES[0].id, FAILURE_MODES[FAILURE_MODES.len() - 1].id);
            Err(Failure::usage(format!(
                "--require: unknown failure mode `{id}`{} they are {first} to {last}",
                meant.unwrap_or_else(|| ";".to_owned())
            )))
        }
    };
    Ok(Asked {
        require: arguments.require.iter().map(known).collect::<Result<_, _>>()?,
        max_p99_us: arguments.max_p99.map(|most| most.as_secs_f64() * 1e6),
    })
}

/// The sale by which cost is measured, under the strategies that the provider can have; of the others, why it cannot.
fn sale(
    provider: &ProviderEntry,
    strategies: &[Strategy],
    no_cost: bool,
) -> (Arc<Scenario>, BTreeMap<String, Cost>) {
    let refusal = |strategy: &Strategy| {
        if no_cost {
            return Some("--no-cost was given".to_owned());
        }
        let alone = undisturbed(&[*strategy]);
        let engine = provider.engine_of(alone.engine).word();
        let unfit = alone.admits(strategy).err().or_else(|| strategy.unsupported_on(engine));
        unfit.or_else(|| why_not_on(provider, &alone))
    };
    let (mut fit, mut costs) = (Vec::new(), BTreeMap::new());
    for strategy in strategies {
        match refusal(strategy) {
            Some(why) => drop(costs.insert(strategy.to_string(), Cost::Unknown(why))),
            None => fit.push(*strategy),
        }
    }
    (Arc::new(undisturbed(&fit)), costs)
}

fn explored(
    plans: &[CellPlan],
    arguments: &CompareArguments,
    interrupt: &Interrupt,
    display: &mut Display,
) -> Vec<CellReport> {
    let search = search_of_tables(arguments.seeds, arguments.jobs, interrupt);
    let mut cells = Vec::with_capacity(plans.len());
    for plan in plans.iter().take_while(|_| interrupt.exit().is_none()) {
        display.begun(label(plan));
        let report = explore_cell(plan, &search, stopwatch(), &|_| {}).report;
        display.compared(&label(plan), &report);
        cells.push(report);
    }
    cells
}

/// What each strategy of the sale costs. One at a time: they are not to cost each other anything.
fn measured(
    plans: Vec<CellPlan>,
    entry: &ProviderEntry,
    servers: &ExternalServers,
    interrupt: &Interrupt,
    display: &mut Display,
) -> Result<BTreeMap<String, Cost>, Failure> {
    let provider = started_by(entry, servers)?;
    let settings = CellSettings {
        provider: Some(Arc::clone(&provider)),
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        limit: SALE_LIMIT,
        halt: Arc::clone(&interrupt.halt),
        holders: None,
    };
    let cells = Matrix { plans, jobs: 1, settings }.run(&mut Watcher { display });
    end(provider.as_ref());
    Ok(cells.iter().map(|cell| (cell.strategy.clone(), cost_of(cell))).collect())
}

/// Shows how far the comparison is.
struct Watcher<'a> {
    display: &'a mut Display,
}

impl Observer for Watcher<'_> {
    fn begun(&mut self, plan: &CellPlan) {
        self.display.begun(label(plan));
    }

    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport {
        self.display.compared(&label(plan), &finished.report);
        finished.report
    }
}

/// The command that repeats the comparison, seed included.
fn command(arguments: &CompareArguments, servers: &ExternalServers, seed: u64) -> String {
    let mut words = vec!["lockproof compare".to_owned()];
    words.extend(arguments.paths.iter().map(|path| path.display().to_string()));
    for (flag, values) in [("--strategy", &arguments.strategy), ("--require", &arguments.require)] {
        if !values.is_empty() {
            words.push(format!("{flag} {}", values.join(",")));
        }
    }
    words.push(format!("--seeds {}", arguments.seeds));
    if let Some(most) = arguments.max_p99 {
        let most = humantime::format_duration(most).to_string().replace(' ', "");
        words.push(format!("--max-p99 {most}"));
    }
    if arguments.no_cost {
        words.push("--no-cost".to_owned());
    }
    if arguments.provider != PROVIDERS[0].name {
        words.push(format!("--provider {}", arguments.provider));
    }
    format!("{}{} --seed {seed:#x}", words.join(" "), servers::flags(servers))
}

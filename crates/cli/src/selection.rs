//! Which scenarios and strategies are meant.

use std::path::PathBuf;
use std::sync::Arc;

use lockproof_model::World;
use lockproof_scenario::{Cell, Scenario, Strategy};

use crate::exit::Failure;
use crate::files::scenario_files;
use crate::terminal;

/// The scenarios at `paths`, with the wanted strategies.
pub(crate) fn load(
    paths: &[PathBuf],
    strategies: &[String],
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let mut problems = Vec::new();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for path in scenario_files(paths)? {
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
    select(&mut scenarios, strategies)?;
    Ok(scenarios.into_iter().map(Arc::new).collect())
}

/// Those without the strategies that are for real sockets alone: these are skipped aloud among others, and refused where
/// no other is left.
fn without_live_only(scenarios: Vec<Arc<Scenario>>) -> Result<Vec<Arc<Scenario>>, Failure> {
    let (kept, told) = split_live_only(scenarios);
    if kept.is_empty() && !told.is_empty() {
        return Err(Failure::usage(told.join("\n")));
    }
    told.iter().for_each(|line| terminal::error(&format!("skipped {line}")));
    Ok(kept)
}

fn split_live_only(scenarios: Vec<Arc<Scenario>>) -> (Vec<Arc<Scenario>>, Vec<String>) {
    let mut told = Vec::new();
    let mut kept = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        let live_only = |cell: &Cell| cell.strategy.live_only();
        let path = scenario.path.display();
        let alone: Vec<_> = scenario.cells.iter().filter_map(live_only).collect();
        told.extend(alone.iter().map(|why| format!("{path}: {why}; use lockproof run")));
        if alone.is_empty() {
            kept.push(scenario);
            continue;
        }
        let mut scenario = Scenario::clone(&scenario);
        scenario.cells.retain(|cell| live_only(cell).is_none());
        if !scenario.cells.is_empty() {
            kept.push(Arc::new(scenario));
        }
    }
    (kept, told)
}

/// Those that run in `world`. What says that it is for the other one alone is skipped aloud, among others; by itself,
/// and whatever else cannot run there, it is refused with its reason.
pub(crate) fn of_world(
    scenarios: Vec<Arc<Scenario>>,
    world: World,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let refusal = |scenario: &Scenario| {
        let why = match world {
            World::Live => {
                format!("{}; run it with --world sim or explore", scenario.needs_simulation()?)
            }
            World::Sim => format!("{}; use lockproof run", scenario.needs_live()?),
        };
        Some(format!("{}: {why}", scenario.path.display()))
    };
    let (elsewhere, here): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .partition(|scenario| scenario.only.as_ref().is_some_and(|only| only.world != world));
    let refused: Vec<_> = if here.is_empty() { &elsewhere } else { &here }
        .iter()
        .filter_map(|scenario| refusal(scenario))
        .collect();
    if !refused.is_empty() {
        return Err(Failure::usage(refused.join("\n")));
    }
    for line in elsewhere.iter().filter_map(|scenario| refusal(scenario)) {
        terminal::error(&format!("skipped {line}"));
    }
    match world {
        World::Sim => without_live_only(here),
        World::Live => Ok(here),
    }
}

/// What of `scenarios` can be searched and what can run live: most can be both. What one of the worlds cannot do is left
/// to the other one, aloud.
#[derive(Debug)]
pub(crate) struct ByWorld {
    /// For the search.
    pub(crate) sim: Vec<Arc<Scenario>>,
    /// For real sockets.
    pub(crate) live: Vec<Arc<Scenario>>,
}

/// Divides `scenarios`.
///
/// # Errors
/// One of them can run nowhere.
pub(crate) fn by_world(scenarios: &[Arc<Scenario>]) -> Result<ByWorld, Failure> {
    let (mut sim, mut live, mut nowhere) = (Vec::new(), Vec::new(), Vec::new());
    for scenario in scenarios {
        let path = scenario.path.display();
        match (scenario.needs_live(), scenario.needs_simulation()) {
            (Some(live), Some(sim)) => nowhere.push(format!("{path}: {live}; and {sim}")),
            (Some(why), None) => {
                terminal::error(&format!("not searched: {path}: {why}"));
                live.push(Arc::clone(scenario));
            }
            (None, Some(why)) => {
                terminal::error(&format!("not run live: {path}: {why}"));
                sim.push(Arc::clone(scenario));
            }
            (None, None) => {
                sim.push(Arc::clone(scenario));
                live.push(Arc::clone(scenario));
            }
        }
    }
    if !nowhere.is_empty() {
        return Err(Failure::usage(nowhere.join("\n")));
    }
    let (sim, told) = split_live_only(sim);
    told.iter().for_each(|line| terminal::error(&format!("not searched: {line}")));
    Ok(ByWorld { sim, live })
}

/// Keeps the wanted strategies. One that no scenario names runs in all of them and is expected to be safe.
fn select(scenarios: &mut [Scenario], wanted: &[String]) -> Result<(), Failure> {
    if wanted.is_empty() {
        return Ok(());
    }
    // By their spelling first: a service's variants are spelled in no catalog.
    let cells = scenarios.iter().flat_map(|scenario| &scenario.cells);
    let spelled: Vec<_> = cells.map(|cell| (cell.strategy.to_string(), cell.strategy)).collect();
    let parse = |text: &String| {
        if let Some((_, strategy)) = spelled.iter().find(|(known, _)| known == text) {
            return Ok(*strategy);
        }
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

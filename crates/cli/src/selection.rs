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

/// Those that run in `world`. What says that it is for the other one alone is skipped aloud, among others; by itself,
/// and whatever else cannot run there, it is refused with its reason.
pub(crate) fn of_world(
    scenarios: Vec<Arc<Scenario>>,
    world: World,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    let scenarios = match world {
        World::Live => scenarios,
        World::Sim => scenarios.into_iter().map(without_programs).collect(),
    };
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
    Ok(here)
}

/// Without the strategies whose lock is a program by itself, each skipped aloud; unless there are no others, for which the
/// scenario is refused.
fn without_programs(scenario: Arc<Scenario>) -> Arc<Scenario> {
    let (programs, cells): (Vec<Cell>, Vec<Cell>) =
        scenario.cells.iter().copied().partition(|cell| cell.strategy.adapter.is_some());
    if programs.is_empty() || cells.is_empty() {
        return scenario;
    }
    for why in programs.iter().filter_map(|cell| cell.strategy.needs_live()) {
        let path = scenario.path.display();
        terminal::error(&format!("skipped in {path}: {why}; use lockproof run"));
    }
    Arc::new(Scenario { cells, ..Scenario::clone(&scenario) })
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

//! From what was found of strategies to how they stand beside each other.
//!
//! Safety comes from a search in the simulated world, cost from an undisturbed sale on real sockets: latencies of virtual
//! time are those of the model, and would rank nothing but its parameters.

use std::collections::BTreeMap;
use std::path::Path;

use lockproof_locks::Needs;
use lockproof_model::{
    Asked, COMPARISON_SCHEMA_VERSION, CellReport, Compared, Comparison, Cost, Demand, Expectation,
    FAILURE_MODES, Gap, Layer, Stand, Status, Trial, Verdict, failure_mode,
};
use lockproof_rig::DatabaseEngine;
use lockproof_rig::live::usual_driver;
use lockproof_scenario::{Cell, Scenario, Strategy};

/// Everything that a comparison is made of.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// The strategies, none of them twice.
    pub strategies: &'a [Strategy],
    /// What a search came to, scenario by scenario.
    pub explored: &'a [CellReport],
    /// What each costs, by its spelling.
    pub costs: &'a BTreeMap<String, Cost>,
    /// Where that was measured, as a phrase; none where it was not.
    pub cost_of: Option<&'a str>,
    /// What is asked of them.
    pub asked: &'a Asked,
    /// Schedules of each cell at most.
    pub schedules: u64,
    /// The command that repeats it.
    pub command: &'a str,
}

/// The strategies of `scenarios`, each once, by first appearance; without those that are unsafe on purpose, unless they
/// are `named`.
#[must_use]
pub fn contestants<'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario>,
    named: bool,
) -> Vec<Strategy> {
    let mut strategies: Vec<Strategy> = Vec::new();
    for cell in scenarios.into_iter().flat_map(|scenario| &scenario.cells) {
        let Strategy { lock, guard, .. } = cell.strategy;
        let is_control = lock.control.is_some() || guard.control.is_some();
        if (named || !is_control) && !strategies.contains(&cell.strategy) {
            strategies.push(cell.strategy);
        }
    }
    strategies
}

/// The sale by which cost is measured, under these strategies.
///
/// # Panics
/// When the scenario in this crate is not one: a bug.
#[must_use]
pub fn undisturbed(strategies: &[Strategy]) -> Scenario {
    let parsed = lockproof_scenario::parse(
        Path::new("undisturbed.toml"),
        include_str!("compare/undisturbed.toml"),
    );
    let mut scenario = parsed.unwrap_or_else(|why| panic!("the sale without a fault: {why}"));
    scenario.cells = strategies.iter().map(|&strategy| Cell::expected_safe(strategy)).collect();
    scenario
}

/// What a cell of the undisturbed sale says of cost.
#[must_use]
pub fn cost_of(cell: &CellReport) -> Cost {
    match cell.acquire {
        Some(acquire) if cell.judgement.status == Status::Met && !cell.took.is_zero() => {
            Cost::Measured {
                p50_us: acquire.p50_us,
                p99_us: acquire.p99_us,
                bookings_per_s: f64::from(cell.bookings) / cell.took.as_secs_f64(),
            }
        }
        _ => {
            let why = cell.judgement.reasons.first();
            Cost::Unknown(why.map_or("the sale was not finished", String::as_str).to_owned())
        }
    }
}

/// How they stand: the fewer modes break a strategy the better, and then the less it costs.
#[must_use]
pub fn compare(contest: &Contest<'_>) -> Comparison {
    let modes = modes(contest.explored);
    let mut all: Vec<_> =
        contest.strategies.iter().map(|strategy| compared(strategy, &modes, contest)).collect();
    let broken = |of: &Compared| of.under(Stand::Broken).count();
    let p99 = |of: &Compared| of.cost.p99_us().unwrap_or(f64::INFINITY);
    all.sort_by(|a, b| {
        let by_cost = || p99(a).total_cmp(&p99(b));
        broken(a).cmp(&broken(b)).then_with(by_cost).then_with(|| a.strategy.cmp(&b.strategy))
    });
    let (ranked, unfit) = all.into_iter().partition(|of| of.unfit.is_empty());
    Comparison {
        schema_version: COMPARISON_SCHEMA_VERSION,
        command: contest.command.to_owned(),
        schedules: contest.schedules,
        cost_of: contest.cost_of.map(ToOwned::to_owned),
        asked: contest.asked.clone(),
        modes,
        ranked,
        unfit,
    }
}

/// Failure modes by their number, and then the scenarios that show none.
fn modes(cells: &[CellReport]) -> Vec<String> {
    let shown = |id: &&str| cells.iter().any(|cell| cell.catalog.iter().any(|shown| shown == id));
    let numbered = FAILURE_MODES.iter().map(|mode| mode.id).filter(shown);
    let mut modes: Vec<String> = numbered.map(ToOwned::to_owned).collect();
    for cell in cells.iter().filter(|cell| cell.catalog.is_empty()) {
        if !modes.contains(&cell.scenario) {
            modes.push(cell.scenario.clone());
        }
    }
    modes
}

fn is_of(cell: &CellReport, mode: &str) -> bool {
    if cell.catalog.is_empty() {
        cell.scenario == mode
    } else {
        cell.catalog.iter().any(|id| id == mode)
    }
}

fn compared(strategy: &Strategy, modes: &[String], contest: &Contest<'_>) -> Compared {
    let spelled = strategy.to_string();
    let cells: Vec<_> = contest.explored.iter().filter(|cell| cell.strategy == spelled).collect();
    let unmeasured = || Cost::Unknown("nobody measured it".to_owned());
    let mut compared = Compared {
        tried: modes.iter().filter_map(|mode| trial(mode, &cells)).collect(),
        longest_gap: longest_gap(&cells),
        cost: contest.costs.get(&spelled).cloned().unwrap_or_else(unmeasured),
        strategy: spelled,
        parts: parts(strategy),
        needs: demand(strategy),
        unfit: Vec::new(),
    };
    compared.unfit = lacks(&compared, contest.asked);
    compared
}

fn trial(mode: &str, cells: &[&CellReport]) -> Option<Trial> {
    let stands = cells.iter().filter(|cell| is_of(cell, mode)).map(|cell| (stand(cell), cell));
    let worst = stands.clone().map(|(stand, _)| stand).max()?;
    let scenarios = stands.filter(|(stand, _)| *stand == worst);
    Some(Trial {
        mode: mode.to_owned(),
        stand: worst,
        scenarios: scenarios.map(|(_, cell)| cell.scenario.clone()).collect(),
    })
}

/// What one cell says. A search ends at its first violation, so one that ended at a lock that nobody gives back says
/// nothing of the table beyond that.
fn stand(cell: &CellReport) -> Stand {
    let violation = cell.exploration.as_ref().and_then(|search| search.violation.as_ref());
    let broke = |layer| violation.is_some_and(|violation| violation.layer == layer);
    let layers = &cell.layers;
    let is_blocked = matches!(cell.expectation, Some(Expectation::Blocked(_)))
        || cell.attempts > 0 && cell.bookings == 0;
    if broke(Layer::Effect) || cell.duplicates > 0 || layers.effect == Verdict::Violated {
        Stand::Broken
    } else if broke(Layer::Liveness) || layers.liveness == Verdict::Violated {
        Stand::Blocked
    } else if violation.is_some() || cell.judgement.status != Status::Met {
        Stand::Undecided
    } else if is_blocked {
        Stand::Blocked
    } else {
        Stand::Held
    }
}

/// The figures of a search that broke the strategy are of the smallest schedule that does, and say nothing of gaps.
fn longest_gap(cells: &[&CellReport]) -> Option<Gap> {
    let stood = cells.iter().filter(|cell| matches!(stand(cell), Stand::Held | Stand::Blocked));
    let longest = stood.max_by_key(|cell| cell.longest_gap)?;
    Some(Gap { lasted: longest.longest_gap, scenario: longest.scenario.clone() })
}

fn parts(strategy: &Strategy) -> Vec<String> {
    let Strategy { lock, driver, policy, guard, adapter: _ } = strategy;
    let mut parts = vec![lock.summary.to_owned()];
    if driver.name != usual_driver().name {
        parts.push(format!("over {}", driver.name));
    }
    if policy.keep.is_some() {
        parts.push(policy.summary.to_owned());
    }
    parts.push(guard.summary.to_owned());
    parts
}

fn demand(strategy: &Strategy) -> Demand {
    let servers = match strategy.lock.needs {
        // The database is there for the bookings.
        Needs::Nothing | Needs::Database(_) => None,
        Needs::OneRedis => Some("one Redis".to_owned()),
        Needs::ReplicatedRedis => Some("one Redis with replicas".to_owned()),
        Needs::IndependentRedis(count) => Some(format!("{count} independent Redis servers")),
        Needs::Coordinator(service) => Some(service.to_string()),
    };
    let not_on = DatabaseEngine::ALL.map(DatabaseEngine::word).into_iter();
    let not_on = not_on.filter(|engine| strategy.unsupported_on(engine).is_some());
    let not_on = not_on.map(ToOwned::to_owned).collect();
    Demand { servers, token: strategy.guard.needs_token, not_on }
}

/// Why it is not what was asked for.
fn lacks(of: &Compared, asked: &Asked) -> Vec<String> {
    let mut lacks = Vec::new();
    for id in &asked.require {
        let name = failure_mode(id).map_or("", |mode| mode.name);
        match of.tried.iter().find(|trial| trial.mode == *id) {
            None => lacks.push(format!("was never tried under {id} ({name})")),
            Some(Trial { stand, scenarios, .. }) => {
                let word = match stand {
                    Stand::Held => continue,
                    Stand::Undecided => "proves nothing under",
                    Stand::Blocked => "is blocked by",
                    Stand::Broken => "is broken by",
                };
                lacks.push(format!("{word} {id} ({name}) in {}", scenarios.join(", ")));
            }
        }
    }
    match (asked.max_p99_us, &of.cost) {
        (Some(_), Cost::Unknown(why)) => lacks.push(format!("has no measured cost: {why}")),
        (Some(most), Cost::Measured { p99_us, .. }) if *p99_us > most => lacks.push(format!(
            "takes {:.1} ms at the 99th percentile, and {:.1} ms are allowed",
            p99_us / 1e3,
            most / 1e3
        )),
        _ => {}
    }
    lacks
}

#[cfg(test)]
mod tests;

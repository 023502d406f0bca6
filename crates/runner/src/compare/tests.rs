//! On reports that nobody ran.

use std::sync::Arc;
use std::time::Duration;

use lockproof_model::{Judgement, PercentilesUs};

use super::*;
use crate::cell::blank;
use crate::cells_of;

const STRATEGIES: [&str; 4] =
    ["redis-set-nx", "redis-set-nx+fencing", "row-lock", "redis-naive-del"];

fn scenario(name: &str, catalog: &str) -> Arc<Scenario> {
    let strategies = STRATEGIES.map(|name| format!("\"{name}\"")).join(", ");
    let text = format!(
        "schema_version = 1\nname = \"{name}\"\ncatalog = [{catalog}]\nstrategies = [{strategies}]\n[workload]\nholders = 2\nslots = 1\nbookings = 2\n"
    );
    Arc::new(lockproof_scenario::parse(Path::new("s.toml"), &text).unwrap())
}

/// Cells in which everything went well.
fn cells(name: &str, catalog: &str) -> Vec<CellReport> {
    let good = |plan| CellReport {
        judgement: Judgement { status: Status::Met, reasons: Vec::new() },
        attempts: 2,
        bookings: 1,
        ..blank(&plan)
    };
    cells_of(&[scenario(name, catalog)], 1).into_iter().map(good).collect()
}

fn of<'a>(cells: &'a mut [CellReport], strategy: &str) -> &'a mut CellReport {
    cells.iter_mut().find(|cell| cell.strategy == strategy).unwrap()
}

fn measured(p99_us: f64) -> Cost {
    Cost::Measured { p50_us: 100.0, p99_us, bookings_per_s: 1.0 }
}

fn ranked(cells: &[CellReport], asked: &Asked) -> Comparison {
    let strategies = contestants([&*scenario("s", "")], false);
    let costs = [("redis-set-nx", 1000.0), ("redis-set-nx+fencing", 3000.0), ("row-lock", 2000.0)];
    let costs = costs.map(|(name, p99)| (name.to_owned(), measured(p99))).into();
    compare(&Contest {
        strategies: &strategies,
        explored: cells,
        costs: &costs,
        cost_of: None,
        asked,
        schedules: 50,
        command: "",
    })
}

fn names(of: &[Compared]) -> Vec<&str> {
    of.iter().map(|compared| compared.strategy.as_str()).collect()
}

fn requiring(ids: &[&str]) -> Asked {
    Asked { require: ids.iter().map(|&id| id.to_owned()).collect(), max_p99_us: None }
}

#[test]
fn what_breaks_less_comes_first_and_then_what_costs_less() {
    let mut found = cells("paused", "\"F01\"");
    of(&mut found, "redis-set-nx").duplicates = 1;
    let comparison = ranked(&found, &Asked::default());
    assert_eq!(names(&comparison.ranked), ["row-lock", "redis-set-nx+fencing", "redis-set-nx"]);
    let broken = &comparison.ranked[2].tried[0];
    assert_eq!((broken.mode.as_str(), broken.stand), ("F01", Stand::Broken));
    assert_eq!(broken.scenarios, ["paused"]);
}

#[test]
fn controls_are_left_out_unless_they_are_named() {
    let scenario = scenario("s", "");
    let spelled = |named| {
        let strategies = contestants([&*scenario], named);
        strategies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(spelled(false), &STRATEGIES[..3]);
    assert_eq!(spelled(true), STRATEGIES);
}

#[test]
fn the_worst_cell_of_a_mode_speaks_for_it_and_scenarios_without_one_for_themselves() {
    let mut found = cells("one", "\"F01\"");
    found.extend(cells("two", "\"F01\", \"F03\""));
    found.extend(cells("own", ""));
    let undecided = &mut found[STRATEGIES.len()];
    assert_eq!((undecided.strategy.as_str(), undecided.scenario.as_str()), ("redis-set-nx", "two"));
    undecided.judgement.status = Status::Inconclusive;
    of(&mut found, "row-lock").expectation = Some(Expectation::Blocked(Duration::from_millis(1)));
    let comparison = ranked(&found, &Asked::default());
    assert_eq!(comparison.modes, ["F01", "F03", "own"]);
    let stands = |strategy: &str| {
        let compared = comparison.ranked.iter().find(|of| of.strategy == strategy).unwrap();
        compared.tried.iter().map(|trial| trial.stand).collect::<Vec<_>>()
    };
    assert_eq!(stands("redis-set-nx"), [Stand::Undecided, Stand::Undecided, Stand::Held]);
    assert_eq!(stands("row-lock"), [Stand::Blocked, Stand::Held, Stand::Held]);
    assert_eq!(stands("redis-set-nx+fencing"), [Stand::Held; 3]);
}

#[test]
fn who_sells_nothing_is_blocked_and_who_should_have_been_broken_proves_nothing() {
    let mut found = cells("s", "\"F01\"");
    of(&mut found, "redis-set-nx").bookings = 0;
    of(&mut found, "row-lock").judgement.status = Status::Failed;
    let stands: Vec<_> = found[..3].iter().map(stand).collect();
    assert_eq!(stands, [Stand::Blocked, Stand::Held, Stand::Undecided]);
}

#[test]
fn what_was_asked_for_is_held_against_what_was_tried() {
    let mut found = cells("paused", "\"F01\"");
    of(&mut found, "redis-set-nx").layers.effect = Verdict::Violated;
    let comparison = ranked(&found, &requiring(&["F01"]));
    assert_eq!(names(&comparison.ranked), ["row-lock", "redis-set-nx+fencing"]);
    let why = &comparison.unfit[0].unfit;
    assert_eq!(*why, ["is broken by F01 (a process pauses past its TTL) in paused"]);
    let untried = ranked(&found, &requiring(&["F28"]));
    assert!(untried.ranked.is_empty());
    assert!(untried.unfit[0].unfit[0].starts_with("was never tried under F28"));
}

#[test]
fn a_limit_of_cost_leaves_out_what_costs_more_and_what_nobody_measured() {
    let found = cells("paused", "\"F01\"");
    let asked = Asked { require: Vec::new(), max_p99_us: Some(2500.0) };
    let comparison = ranked(&found, &asked);
    assert_eq!(names(&comparison.ranked), ["redis-set-nx", "row-lock"]);
    let why = &comparison.unfit[0].unfit[0];
    assert_eq!(why, "takes 3.0 ms at the 99th percentile, and 2.5 ms are allowed");
}

#[test]
fn cost_is_measured_by_a_sale_that_ended_well() {
    let mut cell = cells("s", "").remove(0);
    cell.acquire =
        Some(PercentilesUs { count: 9, p50_us: 1.0, p99_us: 2.0, p999_us: 3.0, max_us: 4.0 });
    cell.bookings = 400;
    cell.took = Duration::from_secs(2);
    let cost = Cost::Measured { p50_us: 1.0, p99_us: 2.0, bookings_per_s: 200.0 };
    assert_eq!(cost_of(&cell), cost);
    cell.judgement =
        Judgement { status: Status::Infrastructure, reasons: vec!["no server".to_owned()] };
    assert_eq!(cost_of(&cell), Cost::Unknown("no server".to_owned()));
}

#[test]
fn the_undisturbed_sale_has_the_strategies_that_it_is_given() {
    let strategies = contestants([&*scenario("s", "")], false);
    let cells = undisturbed(&strategies).cells;
    assert_eq!(cells.iter().map(|cell| cell.strategy).collect::<Vec<_>>(), strategies);
}

//! Makes a schedule that broke something as small as it can be while the same thing breaks.
//!
//! Delta debugging on the scenario (Zeller and Hildebrandt, 2002): fewer faults, holders, slots and bookings, shorter
//! times. A smaller scenario is another schedule under the same seed, so each is tried under a few seeds; simulation is
//! cheap enough for that.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Random;
use lockproof_model::{Size, Violation};
use lockproof_scenario::{Replay, Require, Scenario, resolved, with_faults};
use lockproof_workload::{Pace, Stop};
use sha1_smol::Sha1;

use crate::cell::CellPlan;
use crate::explore::{Broken, Search};
use crate::order::turns_of;
use crate::simulate::{Schedule, simulate};

/// Seeds under which a smaller scenario is tried, the one that was found first among them: at most so many …
const TRIES: u64 = 60;
/// … and fewer for a large one, so that each scenario costs about as many bookings.
const BOOKINGS: u64 = 600;
/// Schedules in all; beyond it the smallest so far is what there is.
const BUDGET: u64 = 30_000;

/// A schedule that breaks the same thing and from which nothing can be taken away.
#[derive(Debug)]
pub struct Shrunk {
    /// Its plan; its scenario is a replay.
    pub plan: CellPlan,
    /// What the holders did.
    pub schedule: Schedule,
    /// What it broke.
    pub broken: Broken,
}

/// Makes `plan`, which breaks `broken`, smaller.
///
/// # Panics
/// When the schedule does not break anything: it is not the one that was found.
#[must_use]
pub fn shrink(plan: &CellPlan, broken: &Broken, search: &Search) -> Shrunk {
    let mut budget = BUDGET;
    let mut smallest = breaks(plan, broken, search).expect("a schedule repeats");
    loop {
        let candidates = smaller(&smallest.plan);
        let found = candidates.into_iter().find_map(|scenario| {
            let plan = CellPlan { scenario: Arc::new(scenario), ..smallest.plan.clone() };
            any_seed(&plan, broken, search, &mut budget)
        });
        match found {
            Some(found) => smallest = found,
            None => break,
        }
    }
    smallest.plan = as_replay(&smallest);
    smallest
}

/// What a report says of it.
#[must_use]
pub fn violation(number: u64, before: &CellPlan, shrunk: &Shrunk) -> Violation {
    Violation {
        schedule: number,
        layer: shrunk.broken.layer,
        anomaly: shrunk.broken.anomaly.clone(),
        sentence: shrunk.broken.sentence.clone(),
        seed: shrunk.plan.seed,
        before: size(&before.scenario),
        after: size(&shrunk.plan.scenario),
        replay: resolved(&shrunk.plan.scenario),
        path: None,
        history: shrunk.schedule.history.clone(),
        injections: shrunk.schedule.injections.clone(),
    }
}

/// The history and the table as they are compared: SHA-1 of their JSON.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "plain data has a JSON form")]
pub fn digest(schedule: &Schedule) -> String {
    let json = serde_json::to_vec(&(&schedule.history, &schedule.table));
    Sha1::from(json.expect("a history is plain data")).digest().to_string()
}

fn as_replay(shrunk: &Shrunk) -> CellPlan {
    let mut scenario = (*shrunk.plan.scenario).clone();
    scenario.replay = Some(Replay {
        seed: shrunk.plan.seed,
        digest: digest(&shrunk.schedule),
        order: turns_of(&shrunk.schedule.history),
    });
    scenario.cells = vec![shrunk.plan.cell];
    // It is small on purpose.
    scenario.require = Require { bookings: 0, faults_bitten: 0, contended: 0 };
    CellPlan { scenario: Arc::new(scenario), ..shrunk.plan.clone() }
}

fn any_seed(plan: &CellPlan, broken: &Broken, search: &Search, budget: &mut u64) -> Option<Shrunk> {
    let tries = (BOOKINGS / u64::from(plan.scenario.load.attempts().max(1))).clamp(4, TRIES);
    let others = (1..tries).map(|n| Random::new(plan.seed).fork(&n.to_string()).bits());
    for seed in std::iter::once(plan.seed).chain(others) {
        *budget = budget.checked_sub(1)?;
        let plan = CellPlan { seed, ..plan.clone() };
        if let Some(shrunk) = breaks(&plan, broken, search) {
            return Some(shrunk);
        }
    }
    None
}

fn breaks(plan: &CellPlan, broken: &Broken, search: &Search) -> Option<Shrunk> {
    let schedule = simulate(plan).ok()?;
    let same = |found: &Broken| found.anomaly == broken.anomaly && found.layer == broken.layer;
    let broken = search.breaks(&schedule.judge(&search.checkers)).filter(same)?;
    Some(Shrunk { plan: plan.clone(), schedule, broken })
}

/// Scenarios that are a step smaller, those that take away most first.
fn smaller(plan: &CellPlan) -> Vec<Scenario> {
    let scenario = &*plan.scenario;
    let mut candidates = leaps(scenario);
    for faults in fewer(&scenario.fault_fields) {
        candidates.extend(with_faults(scenario, &faults));
    }
    let load = &scenario.load;
    for holders in steps_down(load.holders, 1) {
        let mut smaller = scenario.clone();
        smaller.load.holders = holders;
        let faults: Vec<_> =
            scenario.fault_fields.iter().map(|fields| among(fields, holders)).collect();
        // Read again: a replay that names holders which are gone could not be read.
        candidates.extend(with_faults(&smaller, &faults));
    }
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = scenario.clone();
        change(&mut smaller);
        candidates.push(smaller);
    };
    if let Stop::After(bookings) = load.stop {
        for fewer in steps_down(bookings, 1) {
            with(&|scenario| scenario.load.stop = Stop::After(fewer));
        }
        for slots in steps_down(load.slots, 1) {
            with(&|scenario| scenario.load.slots = slots);
            // Both at once: on fewer slots alone more holders crowd on each.
            let bookings = bookings.min(slots.saturating_mul(2)).max(1);
            with(&|scenario| {
                scenario.load.slots = slots;
                scenario.load.stop = Stop::After(bookings);
            });
        }
    } else {
        with(&|scenario| scenario.load.stop = Stop::After(64));
    }
    if load.pace != Pace::Closed {
        with(&|scenario| scenario.load.pace = Pace::Closed);
    }
    if !load.work.is_zero() {
        with(&|scenario| scenario.load.work = Duration::ZERO);
    }
    if scenario.wait.tries > 1 {
        with(&|scenario| scenario.wait = lockproof_locks::Wait::NEVER);
    }
    // A fault that comes every so often needs to come but once.
    for (index, fields) in scenario.fault_fields.iter().enumerate() {
        for simpler in simpler(fields) {
            let mut faults = scenario.fault_fields.clone();
            faults[index] = simpler;
            candidates.extend(with_faults(scenario, &faults));
        }
    }
    candidates
}

/// Almost nothing, which is often enough: two or three holders, one slot, one fault that comes once.
fn leaps(scenario: &Scenario) -> Vec<Scenario> {
    let mut leaps = Vec::new();
    for (holders, bookings) in [(2, 2), (3, 3), (3, 5)] {
        if scenario.load.holders < holders || scenario.load.attempts() <= bookings {
            continue;
        }
        let mut small = scenario.clone();
        small.load.holders = holders;
        small.load.slots = 1;
        small.load.stop = Stop::After(bookings);
        for fault in &scenario.fault_fields {
            let fault = &among(fault, holders);
            for once in simpler(fault).into_iter().take(2).chain([fault.clone()]) {
                leaps.extend(with_faults(&small, &[once]));
            }
        }
    }
    leaps
}

/// The list without some of its items: one alone, halves, all but one.
fn fewer(items: &[String]) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    if items.len() > 1 {
        lists.extend(items.iter().map(|item| vec![item.clone()]));
    }
    if items.len() > 2 {
        for index in 0..items.len() {
            let mut rest = items.to_vec();
            rest.remove(index);
            lists.push(rest);
        }
    }
    if !items.is_empty() {
        lists.insert(0, Vec::new());
    }
    lists
}

/// Smaller numbers down to `least`, the boldest first.
fn steps_down(from: u32, least: u32) -> Vec<u32> {
    let mut steps = vec![least, least + 1, from / 4, from / 2, from.saturating_sub(1)];
    steps.retain(|&step| step >= least && step < from);
    steps.dedup();
    steps
}

/// A fault with those of its `holders` alone that there are; as it is where none is left.
fn among(fields: &str, holders: u32) -> String {
    let line = |line: &str| {
        let list = line.strip_prefix("holders = [").and_then(|rest| rest.strip_suffix(']'));
        let numbers = list.into_iter().flat_map(|list| list.split(", "));
        let left: Vec<_> =
            numbers.filter(|n| n.parse::<u32>().is_ok_and(|n| n <= holders)).collect();
        if left.is_empty() { line.to_owned() } else { format!("holders = [{}]", left.join(", ")) }
    };
    fields.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A fault that comes once, at the first few of its occasions.
fn simpler(fields: &str) -> Vec<String> {
    let repeats = |line: &&str| {
        ["every", "probability"].iter().any(|key| line.starts_with(&format!("{key} =")))
    };
    let numbered = |line: &str| line.strip_prefix("nth = ").and_then(|n| n.parse::<u32>().ok());
    let Some(trigger) = fields.lines().find(|line| repeats(line) || numbered(line).is_some())
    else {
        return Vec::new();
    };
    let most = numbered(trigger).unwrap_or(u32::MAX);
    let once = |n: u32| {
        let line =
            |line: &str| if line == trigger { format!("nth = {n}") } else { line.to_owned() };
        fields.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    (1..=4).filter(|&n| n < most).map(once).collect()
}

fn size(scenario: &Scenario) -> Size {
    let faults = u32::try_from(scenario.faults.len()).unwrap_or(u32::MAX);
    let load = &scenario.load;
    Size { holders: load.holders, slots: load.slots, bookings: load.attempts(), faults }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_no_holder_that_is_gone() {
        let fault = "kind = \"partition\"\nholders = [1, 2, 3]\nlinks = [\"redis-1\", \"redis-2\"]";
        assert_eq!(among(fault, 2), fault.replace("[1, 2, 3]", "[1, 2]"));
        assert_eq!(among(fault, 3), fault);
        let of_the_third = fault.replace("[1, 2, 3]", "[3]");
        assert_eq!(among(&of_the_third, 2), of_the_third, "left for the reader to refuse");
    }
}

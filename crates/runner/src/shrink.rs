//! Makes a schedule that broke something as small as it can be while the same thing breaks.
//!
//! Delta debugging on the scenario (Zeller and Hildebrandt, 2002): fewer faults, holders, slots and bookings, shorter
//! times. A smaller scenario is another schedule under the same seed, so each is tried under a few seeds; simulation is
//! cheap enough for that.

mod smaller;

use std::sync::Arc;

use lockproof_env::Random;
use lockproof_model::{Broken, Size, Violation};
use lockproof_scenario::{Replay, Require, Scenario, resolved};
use sha1_smol::Sha1;

use crate::cell::CellPlan;
use crate::explore::Search;
use crate::order::turns_of;
use crate::simulate::{Schedule, simulate};
use smaller::smaller;

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
        let candidates = smaller(&smallest.plan.scenario);
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
        driver: shrunk.plan.driver,
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

fn size(scenario: &Scenario) -> Size {
    let faults = u32::try_from(scenario.faults.len()).unwrap_or(u32::MAX);
    let load = &scenario.load;
    Size { holders: load.holders, slots: load.slots, bookings: load.attempts(), faults }
}

//! Searches with random faults alone, and what they come to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::Layer;
use lockproof_runner::{
    Broken, Buggify, CellPlan, Search, Shrunk, cells_of, explore, scheduled, shrink, simulate,
};
use lockproof_scenario::{Scenario, parse, with_faults};

/// Of every hunt.
const SEED: u64 = 1;

/// Schedules of a scenario that is as small as it can be.
const SMALL: u64 = 400;

/// Under which a violation is tried again with fewer faults.
const SEEDS: u64 = 6;

/// What to look for, where, and how far.
pub(crate) struct Hunt {
    pub(crate) scenario: Scenario,
    pub(crate) layer: Layer,
    /// Kinds of anomaly; any, where there are none.
    pub(crate) kinds: &'static [&'static str],
    /// Of one search.
    pub(crate) schedules: u64,
    pub(crate) buggify: Buggify,
}

impl Hunt {
    /// After the table's anomalies, with no fault but random ones.
    pub(crate) fn new(strategy: &str, schedules: u64) -> Self {
        let scenario = crowd(strategy);
        let buggify = Buggify::WithinBounds;
        Self { scenario, layer: Layer::Effect, kinds: &[], schedules, buggify }
    }

    pub(crate) fn after(self, layer: Layer, kinds: &'static [&'static str]) -> Self {
        Self { layer, kinds, ..self }
    }

    pub(crate) fn planted(mut self, plant: impl FnOnce(&mut Scenario)) -> Self {
        plant(&mut self.scenario);
        self
    }

    pub(crate) fn search(&self) -> Search {
        Search {
            schedules: self.schedules,
            time: None,
            jobs: 2,
            buggify: self.buggify,
            layers: vec![self.layer],
            kinds: self.kinds.to_vec(),
            besides: Vec::new(),
            checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
            halt: Arc::default(),
            slice: None,
            chronicle: None,
        }
    }

    fn plan(&self) -> CellPlan {
        cells_of(&[Arc::new(self.scenario.clone())], SEED).remove(0)
    }

    /// Looks at one schedule after the other, those beyond the first violation too, until one broke for the reason that
    /// is meant and for no other: what is common would hide what is rare. Then makes that one as small as it can be.
    pub(crate) fn catches(&self, is_meant: impl Fn(&Cause) -> bool) -> Caught {
        let (plan, search) = (self.plan(), self.search());
        let mut others = Vec::new();
        for number in 0..self.schedules {
            let plan = scheduled(&plan, &search, number);
            let Some(broken) = broken(&plan, &search) else { continue };
            let Some(plan) = suffices(&plan, &broken, &search) else { continue };
            let cause = Cause::of(&plan, &broken);
            if is_meant(&cause) {
                let shrunk = shrink(&plan, &broken, &search);
                let cause = Cause::of(&shrunk.plan, &shrunk.broken);
                assert!(is_meant(&cause), "it was shrunk to another cause: {cause:#?}");
                return Caught { shrunk };
            }
            others.push(cause);
        }
        panic!("not among what {} schedules have found: {others:#?}", self.schedules);
    }

    /// How many schedules it takes to break it; none within the budget of one search.
    pub(crate) fn breaks(&self) -> Option<u64> {
        let explored = explore(&self.plan(), &self.search(), || Duration::ZERO, &|_| {});
        assert!(explored.found.is_some() || explored.figures.schedules == self.schedules);
        explored.found.map(|(number, ..)| number)
    }

    /// The same in what is left of the scenario once shrunk, with its faults and no others.
    pub(crate) fn within(&self, shrunk: &Shrunk, change: impl FnOnce(&mut Scenario)) -> Self {
        let mut scenario = (*shrunk.plan.scenario).clone();
        scenario.replay = None;
        change(&mut scenario);
        Self { scenario, buggify: Buggify::Off, schedules: SMALL, ..*self }
    }
}

/// What a hunt caught.
pub(crate) struct Caught {
    pub(crate) shrunk: Shrunk,
}

/// What the schedule of `plan` breaks.
fn broken(plan: &CellPlan, search: &Search) -> Option<Broken> {
    search.breaks(&simulate(plan).ok()?.judge(&search.checkers))
}

/// The plan with one of its faults or none, where that breaks the same thing under one of a few seeds: with a fault
/// less it is another schedule.
fn suffices(plan: &CellPlan, why: &Broken, search: &Search) -> Option<CellPlan> {
    let texts = &plan.scenario.fault_fields;
    let lists = std::iter::once(Vec::new()).chain(texts.iter().map(|text| vec![text.clone()]));
    lists.into_iter().find_map(|faults| {
        let scenario = Arc::new(with_faults(&plan.scenario, &faults).ok()?);
        (0..SEEDS).find_map(|n| {
            let seed = plan.seed.wrapping_add(n);
            let plan = CellPlan { scenario: Arc::clone(&scenario), seed, ..plan.clone() };
            broken(&plan, search).filter(|found| found.anomaly == why.anomaly).map(|_| plan)
        })
    })
}

/// Why a slot was sold twice or a lock is wrong, as the smallest schedule shows it.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) anomaly: String,
    /// The fields of each `[[fault]]` that is left.
    pub(crate) faults: Vec<String>,
}

impl Cause {
    fn of(plan: &CellPlan, broken: &Broken) -> Self {
        Self { anomaly: broken.anomaly.clone(), faults: plan.scenario.fault_fields.clone() }
    }

    /// Whether one fault is left, and has all these fields.
    pub(crate) fn is(&self, fields: &[&str]) -> bool {
        let [fault] = self.faults.as_slice() else { return false };
        fields.iter().all(|field| fault.lines().any(|line| line == *field))
    }

    /// Whether one fault is left, of one of these kinds.
    pub(crate) fn is_one_of(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| self.is(&[&format!("kind = \"{kind}\"")]))
    }
}

/// Another set of faults.
pub(crate) fn faults(scenario: &mut Scenario, change: impl Fn(&str) -> Option<String>) {
    let faults: Vec<_> = scenario.fault_fields.iter().filter_map(|text| change(text)).collect();
    *scenario = with_faults(scenario, &faults).unwrap_or_else(|problems| panic!("{problems}"));
}

/// A few holders that want the same slots, and nothing that goes wrong by itself.
fn crowd(strategy: &str) -> Scenario {
    let text = format!(
        r#"
schema_version = 1
name = "crowd"
strategies = ["{strategy}"]

[workload]
holders = 3
slots = 2
bookings = 8
work = "2ms"

[lock]
ttl = "60ms"
wait = {{ tries = 5, delay = "10ms", jitter = "5ms" }}
"#
    );
    parse(Path::new("crowd.toml"), &text).unwrap_or_else(|problems| panic!("{problems}"))
}

//! Searches the schedules of a cell until one breaks it, or until it has looked at enough.
//!
//! Schedule number `n` is decided by the cell's seed and `n` alone, and the first that breaks something is the one with
//! the smallest number: neither depends on how many threads search or on how quick they are.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockproof_checkers::Checker;
use lockproof_env::Random;
use lockproof_faults::buggify::{Ground, Tokens, draw};
use lockproof_model::{
    Anomaly, Broken, Effect, Exploration, FaultRecord, Finding, Glance, History, Instant, Layer,
    Outcome, SearchLog, Slice, Step, Verdict,
};
use lockproof_scenario::{Scenario, with_faults};
use lockproof_workload::Load;

use crate::cell::CellPlan;
use crate::fold::Fold;
use crate::simulate::{Schedule, simulate};

/// Schedules that a thread takes at a time. The search may run this much further than it had to, times its threads.
const CHUNK: u64 = 32;
/// Of a step, about.
const ROUND_TRIP: Duration = Duration::from_micros(400);

/// What to look for, and how far.
#[derive(Clone, Debug)]
pub struct Search {
    /// Schedules at most.
    pub schedules: u64,
    /// Real time at most.
    pub time: Option<Duration>,
    /// Threads.
    pub jobs: usize,
    /// Whether random faults are added to the scenario's own, and which.
    pub buggify: Buggify,
    /// What counts as a violation: an anomaly of one of these layers …
    pub layers: Vec<Layer>,
    /// … and of one of these kinds, as [`lockproof_checkers::kinds`] spells them; of any, where there are none.
    pub kinds: Vec<&'static str>,
    /// Kinds of anomaly that count besides, whatever their layer.
    pub besides: Vec<&'static str>,
    /// What is looked for.
    pub checkers: Vec<&'static dyn Checker>,
    /// Raised by an interrupt.
    pub halt: Arc<AtomicBool>,
    /// Which part of the schedules is looked at, where others look at the rest.
    pub slice: Option<Slice>,
    /// Who keeps more of it than its report does, where somebody does.
    pub chronicle: Option<Arc<dyn Chronicle>>,
}

/// Keeps more of a search than its report does.
pub trait Chronicle: Debug + Send + Sync {
    /// Schedule number `number` of a cell, counted from 0, has run. Called by the threads that search.
    fn looked(&self, _plan: &CellPlan, _number: u64, _schedule: &Schedule) {}

    /// The search of a slice of a cell has come to its end.
    fn searched(&self, _plan: &CellPlan, _log: SearchLog) {}
}

impl Search {
    /// The same search, for what the scenario of `plan` says that a strategy shows besides. A search that is narrower
    /// than the table looks for nothing else than it was told to.
    #[must_use]
    pub(crate) fn of_cell(&self, plan: &CellPlan) -> Self {
        let is_narrow = !self.layers.contains(&Layer::Effect) || !self.kinds.is_empty();
        let besides = if is_narrow || plan.cell.expect.is_duplicates() {
            Vec::new()
        } else {
            plan.scenario.shown()
        };
        Self { besides, ..self.clone() }
    }

    /// The first anomaly that counts.
    #[must_use]
    pub fn breaks(&self, findings: &[Finding]) -> Option<Broken> {
        let violated = |finding: &&Finding| finding.verdict == Verdict::Violated;
        findings.iter().filter(violated).find_map(|finding| {
            let in_layer = self.layers.contains(&finding.layer);
            let counts = |anomaly: &&Anomaly| {
                let kind = anomaly.kind.as_str();
                let sought = self.kinds.is_empty() || self.kinds.contains(&kind);
                in_layer && sought || self.besides.contains(&kind)
            };
            let anomaly = finding.anomalies.iter().find(counts)?;
            Some(Broken {
                layer: finding.layer,
                anomaly: anomaly.kind.clone(),
                sentence: anomaly.sentence.clone(),
            })
        })
    }
}

/// Random faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buggify {
    /// None.
    Off,
    /// Within the bounds that every sound strategy has to stand.
    WithinBounds,
    /// As well what loses a counter of fencing tokens: a server that forgets (failure mode F56).
    LosingTokens,
}

impl Buggify {
    /// What they keep to, for a report's reader; none where there are none.
    #[must_use]
    pub fn bounds(self) -> Option<String> {
        self.tokens().map(Tokens::bounds)
    }

    const fn tokens(self) -> Option<Tokens> {
        match self {
            Self::Off => None,
            Self::WithinBounds => Some(Tokens::Kept),
            Self::LosingTokens => Some(Tokens::Losable),
        }
    }
}

/// What a search came to.
#[derive(Debug)]
pub struct Explored {
    /// In figures.
    pub figures: Exploration,
    /// The plan of the first schedule that broke something, its faults written out, and what it broke.
    pub found: Option<(u64, CellPlan, Broken)>,
    /// What there was to see in each schedule, up to that one; empty unless it is a slice with a chronicle.
    pub glances: Vec<Glance>,
}

/// Searches the schedules of `plan`'s cell. `now` tells how long the search has taken.
///
/// # Panics
/// When a schedule does: a bug, with its seed in the message.
pub fn explore(
    plan: &CellPlan,
    search: &Search,
    now: impl Fn() -> Duration + Sync,
    watch: &(impl Fn(u64) + Sync),
) -> Explored {
    let plan = &alone(plan);
    let next = AtomicU64::new(0);
    // The smallest number of those that broke something.
    let first = AtomicU64::new(u64::MAX);
    let goes_on = |number: u64| {
        number < search.schedules
            && number < first.load(Ordering::Relaxed)
            && !search.halt.load(Ordering::Relaxed)
            && search.time.is_none_or(|time| now() < time)
    };
    let number_of = |place: u64| search.slice.map_or(place, |slice| slice.place(place));
    let logs = search.chronicle.is_some() && search.slice.is_some();
    let fold = Mutex::new(if logs { Fold::logging() } else { Fold::default() });
    let work = || {
        loop {
            let chunk = next.fetch_add(CHUNK, Ordering::Relaxed);
            let mut glances = Vec::with_capacity(usize::try_from(CHUNK).unwrap_or_default());
            for number in (chunk..chunk + CHUNK).map(number_of) {
                if !goes_on(number) {
                    return lock(&fold).add(chunk, glances);
                }
                let glance = look(plan, search, number);
                if glance.broken.is_some() {
                    first.fetch_min(number, Ordering::Relaxed);
                }
                glances.push(glance);
            }
            lock(&fold).add(chunk, glances);
            watch((chunk + CHUNK).min(search.schedules));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..search.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    let mut fold = lock(&fold);
    let (figures, broken) = fold.end();
    let found =
        broken.map(|(number, broken)| (number + 1, scheduled(plan, search, number), broken));
    let figures = Exploration { took: now(), buggify: search.buggify.bounds(), ..figures };
    Explored { figures, found, glances: fold.log() }
}

fn lock(fold: &Mutex<Fold>) -> MutexGuard<'_, Fold> {
    fold.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look(plan: &CellPlan, search: &Search, number: u64) -> Glance {
    let plan = scheduled(plan, search, number);
    let Ok(schedule) = simulate(&plan) else {
        // A fault kept holders from connecting at all, which is a schedule in which nothing went wrong.
        let nothing = Duration::ZERO;
        return Glance {
            number,
            fingerprint: 0,
            bit: false,
            bit_held: false,
            took: nothing,
            broken: None,
        };
    };
    if let Some(chronicle) = &search.chronicle {
        chronicle.looked(&plan, number, &schedule);
    }
    let findings = schedule.judge(&search.checkers);
    let held = |record: &FaultRecord| record.bit && hits_a_held_lock(record, &schedule.history);
    Glance {
        number,
        fingerprint: fingerprint(&schedule),
        bit: schedule.injections.iter().any(|record| record.bit),
        bit_held: schedule.injections.iter().any(held),
        took: schedule.took,
        broken: search.breaks(&findings),
    }
}

/// The plan with its own strategy alone, by which its faults are checked.
fn alone(plan: &CellPlan) -> CellPlan {
    let mut scenario = (*plan.scenario).clone();
    scenario.cells = vec![plan.cell];
    CellPlan { scenario: Arc::new(scenario), ..plan.clone() }
}

/// The plan of schedule number `number`, counted from 0, with its own seed and faults, which that number decides alone.
///
/// # Panics
/// When a fault is drawn that the scenario refuses: a bug.
#[must_use]
pub fn scheduled(plan: &CellPlan, search: &Search, number: u64) -> CellPlan {
    let random = Random::new(plan.seed).fork(&number.to_string());
    let seed = random.bits();
    // What is drawn for its servers another strategy of the scenario may not have.
    let alone = (plan.scenario.cells.len() > 1).then(|| alone(plan));
    let mut plan = CellPlan { seed, ..alone.as_ref().unwrap_or(plan).clone() };
    if let Some(tokens) = search.buggify.tokens() {
        let mut faults = plan.scenario.fault_fields.clone();
        faults.extend(draw(&ground(&plan, tokens), &random.fork("buggify")));
        let scenario = with_faults(&plan.scenario, &faults);
        // Drawn for this very scenario; a fault that it refuses would be missing from every search.
        plan.scenario =
            Arc::new(scenario.unwrap_or_else(|why| panic!("a drawn fault is refused: {why}")));
    }
    plan
}

/// What random faults are drawn for.
fn ground(plan: &CellPlan, tokens: Tokens) -> Ground {
    let (scenario, strategy) = (&plan.scenario, &plan.cell.strategy);
    let Scenario { load, ttl, .. } = &**scenario;
    Ground {
        steps: load.flow.steps,
        holders: load.holders,
        bookings: load.attempts(),
        ttl: *ttl,
        redis_servers: scenario.redis_servers(strategy),
        has_database_link: true,
        keeps_tokens: tokens == Tokens::Kept && strategy.guard.needs_token,
        span: span(load),
    }
}

/// How long the load takes, about: what a holder does one after the other.
fn span(load: &Load) -> Duration {
    let steps = u32::try_from(load.flow.steps.len()).unwrap_or(8);
    let each = load.settings.work + load.settings.think + ROUND_TRIP * steps;
    each * load.attempts().div_ceil(load.holders.max(1))
}

/// Whether somebody held a lock while the fault was in effect: the holder that it hit, or anybody where it hit none.
fn hits_a_held_lock(record: &FaultRecord, history: &History) -> bool {
    let until = record.healed.unwrap_or(Instant::FAR_FUTURE);
    history.operations.iter().any(|acquire| {
        let Outcome::Ok(Effect::Granted { .. }) = acquire.outcome else { return false };
        let Some(granted) = acquire.completed else { return false };
        let whom = record.holder.is_none_or(|holder| holder == acquire.holder);
        let mut later = history.operations.iter().filter(|operation| {
            operation.attempt == acquire.attempt && operation.step == Step::Release
        });
        let released = later.next().map_or(Instant::FAR_FUTURE, |release| release.invoked);
        whom && record.injected <= released && granted <= until
    })
}

/// Who did which step in which order, and what came of it.
fn fingerprint(schedule: &Schedule) -> u64 {
    // As rustc hashes: quick, and the same in every process.
    let mut hash = 0_u64;
    let mut add =
        |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    for operation in &schedule.history.operations {
        let kind = match operation.outcome {
            Outcome::Ok(_) => 0_u8,
            Outcome::Fail(_) => 1,
            Outcome::Info(_) => 2,
        };
        add(u64::from(operation.holder.0) << 32 | u64::from(operation.slot.0));
        add(u64::from(operation.step as u8) << 8 | u64::from(kind));
    }
    hash ^ hash >> 32
}

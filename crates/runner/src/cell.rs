//! One strategy under one scenario.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lockproof_checkers::{Checker, duplicates, judge_all, layers_of, tell};
use lockproof_env::live::{Epoch, env_since};
use lockproof_model::{
    AttemptResult, BookingTable, CellReport, Evidence, Finding, History, Judgement, Layer, Layers,
    Pictures, RefusedBy, Slice, Status, Story, Verdict, in_full,
};
use lockproof_rig::System;
use lockproof_rig::live::{HolderProgram, LiveRig, Provider, ServiceProcess};
use lockproof_rig::sim::RedisDriver;
use lockproof_scenario::{Cell, HoldersAs, Scenario, ServiceTarget, Turn};
use lockproof_workload::{Latencies, Launcher, Record, curve, percentiles, timeline};

use crate::conduct::{Outcome, Terms, conduct, name, rig_plan};
use crate::holders::Processes;
use crate::judge::{Facts, contended_slots, judge};
use crate::order::OrderGate;
use crate::running::Running;
use crate::scene::scenes;
use crate::served::Service;
use crate::simulate::simulate_cell;

/// Stories told per cell; the first explains, the rest repeat it.
pub(crate) const STORIES: usize = 3;

/// One strategy under one scenario.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Its place in the run, counted from 0.
    pub index: usize,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The strategy and its expectation.
    pub cell: Cell,
    /// Decides everything random in it.
    pub seed: u64,
    /// What speaks to the servers of the simulated world; live it is always the library.
    pub driver: RedisDriver,
}

impl CellPlan {
    /// The same cell with `driver` between its locks and the simulated servers.
    #[must_use]
    pub fn driven_by(self, driver: RedisDriver) -> Self {
        Self { driver, ..self }
    }

    /// Whether `slice` of a run has it.
    #[must_use]
    pub fn is_in(&self, slice: Slice) -> bool {
        u64::try_from(self.index).is_ok_and(|index| slice.has(index))
    }
}

/// What every cell of a run shares.
#[derive(Clone, Debug)]
pub struct CellSettings {
    /// Where live servers come from; none in the simulated world.
    pub provider: Option<Arc<dyn Provider>>,
    /// What is looked for.
    pub checkers: Vec<&'static dyn Checker>,
    /// A cell that takes longer is cut short and inconclusive.
    pub limit: Duration,
    /// Raised by an interrupt: no new attempt starts, faults heal.
    pub halt: Arc<AtomicBool>,
    /// How this program is started again to be [a holder](crate::hold); none where it cannot be one, and a scenario that
    /// wants processes does not stand up.
    pub holders: Option<HolderProgram>,
}

/// A cell that has run.
#[derive(Debug)]
pub struct Finished {
    /// What it came to.
    pub report: CellReport,
    /// What it was made of; none where its servers did not stand up.
    pub artifacts: Option<Artifacts>,
}

/// What a report is made of.
#[derive(Debug)]
pub struct Artifacts {
    /// Everything that the holders did.
    pub history: History,
    /// What the database held in the end.
    pub table: BookingTable,
    /// How long things took.
    pub latencies: Latencies,
}

/// Runs one cell, a live one on a runtime of its own.
///
/// A simulated one on none: a runtime rations what tokio's channels may do in one of its polls, and would take a whole
/// simulation for one.
pub(crate) fn run_cell(plan: &CellPlan, settings: &CellSettings, running: Running) -> Finished {
    match &settings.provider {
        Some(provider) => {
            let beside = Beside { order: None, running: Some(running) };
            runtime().block_on(run_live(plan, provider.as_ref(), settings, beside))
        }
        None => simulate_cell(plan, &settings.checkers),
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the operating system gives a runtime its timers")
}

/// Who else has to do with a live cell.
#[derive(Debug, Default)]
struct Beside {
    /// Holds its steps to their order, where a replay prescribes one.
    order: Option<OrderGate>,
    /// Through which others look on, where there are any.
    running: Option<Running>,
}

async fn run_live(
    plan: &CellPlan,
    provider: &dyn Provider,
    settings: &CellSettings,
    beside: Beside,
) -> Finished {
    match stand_and_conduct(plan, provider, settings, beside).await {
        Ok(outcome) => {
            let interrupted = settings.halt.load(Ordering::Relaxed).then_some("interrupted");
            finish(plan, &settings.checkers, outcome, interrupted)
        }
        Err(error) => Finished {
            report: CellReport {
                judgement: Judgement { status: Status::Infrastructure, reasons: vec![error] },
                ..blank(plan)
            },
            artifacts: None,
        },
    }
}

/// Runs one cell live with its steps in the order of `turns`, on a runtime of its own, and says whether they came so.
///
/// # Panics
/// When the operating system gives no runtime its timers, or the cell panics: a bug.
pub fn replay_live(
    plan: &CellPlan,
    settings: &CellSettings,
    turns: Vec<Turn>,
) -> (Finished, Result<(), String>) {
    let Some(provider) = &settings.provider else {
        return (simulate_cell(plan, &settings.checkers), Ok(()));
    };
    runtime().block_on(async {
        let order = OrderGate::new(lockproof_env::live::env(plan.seed), turns);
        let beside = Beside { order: Some(order.clone()), running: None };
        let finished = run_live(plan, provider.as_ref(), settings, beside).await;
        (finished, order.kept())
    })
}

const NO_PROCESSES: &str =
    "this program cannot be started again as a holder; write holders-as = \"tasks\"";

/// The error is a sentence: a server that could not be started or reached.
async fn stand_and_conduct(
    plan: &CellPlan,
    provider: &dyn Provider,
    settings: &CellSettings,
    beside: Beside,
) -> Result<Outcome, String> {
    if let Some(target) = &plan.scenario.target {
        return stand_and_serve(plan, target, provider, settings, beside).await;
    }
    let set_up = lockproof_env::live::env(plan.seed);
    let key_prefix = provider.key_prefix(&name(plan));
    let (of_rig, driver) = (rig_plan(plan, &key_prefix), plan.cell.strategy.driver);
    let rig = LiveRig::start_with_driver(&set_up, provider, of_rig, driver).await;
    let rig = rig.map_err(|error| in_full(&error))?;
    // A clock of its own, so that a story's times count from the load and not from its servers' start.
    let epoch = Epoch::now();
    let env = env_since(epoch, plan.seed);
    let salt = lockproof_env::live::entropy();
    let rig = match plan.cell.strategy.adapter {
        Some(adapter) => {
            rig.with_adapter(&env, adapter.clone()).map_err(|error| in_full(&error))?
        }
        None => rig,
    };
    let (rig, launcher) = match plan.scenario.holders_as {
        HoldersAs::Tasks => (Arc::new(rig), None),
        HoldersAs::Processes => {
            let program = settings.holders.clone().ok_or(NO_PROCESSES)?;
            let rig = rig.with_processes(&env, program).map_err(|error| in_full(&error))?;
            let rig = Arc::new(rig);
            let holders = Processes::of(plan, Arc::clone(&rig), key_prefix.clone(), salt, epoch);
            (rig, Some(Arc::new(holders) as Arc<dyn Launcher>))
        }
    };
    let terms = Terms {
        limit: settings.limit,
        halt: Some(Arc::clone(&settings.halt)),
        salt,
        order: beside.order,
        key_prefix,
        launcher,
        service: None,
        running: beside.running,
    };
    let mut outcome = conduct(plan, Arc::clone(&rig) as Arc<dyn System>, &env, &terms).await;
    clear(&rig, provider, &mut outcome).await;
    outcome
}

/// The same where a service is what is put to the test: it is started once its servers stand, and its customers are the
/// holders.
async fn stand_and_serve(
    plan: &CellPlan,
    target: &ServiceTarget,
    provider: &dyn Provider,
    settings: &CellSettings,
    beside: Beside,
) -> Result<Outcome, String> {
    let set_up = lockproof_env::live::env(plan.seed);
    let key_prefix = provider.key_prefix(&name(plan));
    let rig = LiveRig::start_for_service(&set_up, provider, rig_plan(plan, &key_prefix)).await;
    let rig = Arc::new(rig.map_err(|error| in_full(&error))?);
    let salt = lockproof_env::live::entropy();
    let (service, mut process) = Service::stand(plan, target, &rig, salt).await?;
    let env = env_since(Epoch::now(), plan.seed);
    let terms = Terms {
        limit: settings.limit,
        halt: Some(Arc::clone(&settings.halt)),
        salt,
        order: beside.order,
        key_prefix,
        launcher: None,
        service: Some(Arc::new(service)),
        running: beside.running,
    };
    let mut outcome = conduct(plan, Arc::clone(&rig) as Arc<dyn System>, &env, &terms).await;
    if let Some(ended) = process.as_mut().and_then(ServiceProcess::ended) {
        match &mut outcome {
            Ok(outcome) => outcome.gone = Some(ended),
            Err(error) => *error = format!("{ended}; {error}"),
        }
    }
    // Before its servers, of which it would complain.
    drop(process);
    clear(&rig, provider, &mut outcome).await;
    outcome
}

/// Removes what the cell left at servers of others.
async fn clear(rig: &LiveRig, provider: &dyn Provider, outcome: &mut Result<Outcome, String>) {
    // Also of a load that failed: the servers may be somebody else's.
    if let Err(error) = rig.clear().await {
        let error = in_full(&error);
        tracing::warn!(error, "what the cell made is left behind");
        if let Ok(outcome) = outcome
            && provider.shared()
        {
            outcome.gone.get_or_insert(error);
        }
    }
}

/// Judges what a load left behind.
pub(crate) fn finish(
    plan: &CellPlan,
    checkers: &[&'static dyn Checker],
    outcome: Outcome,
    interrupted: Option<&'static str>,
) -> Finished {
    let Outcome { record, table, injections, faults, left, cut_short, gone, .. } = outcome;
    let Outcome { servers, drivers, answers, contradictions, .. } = outcome;
    let Record { history, longest_gap, backlog, started, finished, lost } = record;
    let evidence = Evidence { history: &history, table: &table, faults: &injections, left: &left };
    let findings = judge_all(&evidence, checkers.iter().copied());
    let latencies = Latencies::of(&history);
    let bookings = count(table.bookings.len());
    let doubles = findings.iter().map(duplicates).sum();
    let mut judgement = judge(&Facts {
        expect: plan.cell.expect,
        require: plan.scenario.require,
        findings: &findings,
        bookings,
        duplicates: doubles,
        contended: contended_slots(&history.attempts),
        faults: &faults,
        longest_gap,
        shown: &plan.scenario.shown(),
        cut_short: cut_short.or(interrupted),
    });
    // How a service answers once it is gone, or before its load has ended, shows nothing.
    if gone.is_none() && cut_short.or(interrupted).is_none() {
        let expected = plan.scenario.answers_of(&plan.cell);
        let unmet = expected.filter_map(|expected| expected.unmet(&answers));
        let unmet: Vec<_> = contradictions.into_iter().chain(unmet).collect();
        if !unmet.is_empty() {
            judgement.status = Status::Failed;
            judgement.reasons.splice(0..0, unmet);
        }
    }
    // A load whose servers or holders went away shows nothing by what it did not come to; what it did come to stands.
    if let Some(gone) = gone.filter(|_| judgement.status < Status::Infrastructure) {
        judgement.status = Status::Infrastructure;
        judgement.reasons.insert(0, gone);
    }
    if !lost.is_empty() {
        judgement.status = judgement.status.max(Status::Inconclusive);
        judgement.reasons.splice(0..0, lost);
    }
    let report = CellReport {
        judgement,
        layers: layers_of(&findings),
        stories: stories(&evidence, &findings),
        pictures: Pictures {
            response: curve(&latencies.response),
            service: curve(&latencies.service),
            timeline: timeline(&history, started),
            scenes: scenes(&evidence, &findings, plan.cell.expect),
        },
        findings,
        bookings,
        duplicates: doubles,
        longest_gap,
        backlog,
        faults,
        injections,
        answers,
        servers,
        drivers,
        took: finished.saturating_since(started),
        ..counted(plan, &history, &latencies)
    };
    Finished { report, artifacts: Some(Artifacts { history, table, latencies }) }
}

/// What a history says by itself.
pub(crate) fn counted(plan: &CellPlan, history: &History, latencies: &Latencies) -> CellReport {
    let tally = Tally::of(history);
    CellReport {
        attempts: count(history.attempts.len()),
        refused_by_lock: tally.by_lock,
        refused_by_check: tally.by_check,
        refused_by_guard: tally.by_guard,
        failed: tally.failed,
        unknown: tally.unknown,
        first_error: tally.first_error,
        acquire: percentiles(&latencies.entry),
        response: percentiles(&latencies.response),
        service: percentiles(&latencies.service),
        ..blank(plan)
    }
}

/// The first violations of the table, told.
pub(crate) fn stories(evidence: &Evidence<'_>, findings: &[Finding]) -> Vec<Story> {
    let violated =
        |finding: &&Finding| finding.layer == Layer::Effect && finding.verdict == Verdict::Violated;
    let anomalies = findings.iter().filter(violated).flat_map(|finding| &finding.anomalies);
    anomalies.take(STORIES).map(|anomaly| tell(evidence, anomaly)).collect()
}

#[derive(Debug, Default)]
struct Tally {
    by_lock: u32,
    by_check: u32,
    by_guard: u32,
    failed: u32,
    unknown: u32,
    first_error: Option<String>,
}

impl Tally {
    fn of(history: &History) -> Self {
        let mut tally = Self::default();
        for attempt in &history.attempts {
            match &attempt.result {
                AttemptResult::Booked { .. } => {}
                AttemptResult::Refused { by: RefusedBy::Lock, .. } => tally.by_lock += 1,
                AttemptResult::Refused { by: RefusedBy::Check, .. } => tally.by_check += 1,
                AttemptResult::Refused { by: RefusedBy::Guard, .. } => tally.by_guard += 1,
                AttemptResult::Failed { error } => {
                    tally.failed += 1;
                    tally.first_error.get_or_insert_with(|| error.clone());
                }
                AttemptResult::Unknown { error } => {
                    tally.unknown += 1;
                    tally.first_error.get_or_insert_with(|| error.clone());
                }
            }
        }
        tally
    }
}

/// A report of a cell in which nothing has happened.
pub(crate) fn blank(plan: &CellPlan) -> CellReport {
    CellReport {
        scenario: plan.scenario.name.clone(),
        source: Some(plan.scenario.path.display().to_string()),
        title: plan.scenario.title.clone(),
        catalog: plan.scenario.catalog.clone(),
        strategy: plan.cell.strategy.to_string(),
        expectation: Some(plan.cell.expect),
        judgement: Judgement { status: Status::Inconclusive, reasons: Vec::new() },
        layers: Layers::default(),
        findings: Vec::new(),
        attempts: 0,
        bookings: 0,
        duplicates: 0,
        refused_by_lock: 0,
        refused_by_check: 0,
        refused_by_guard: 0,
        failed: 0,
        unknown: 0,
        first_error: None,
        acquire: None,
        response: None,
        service: None,
        longest_gap: Duration::ZERO,
        backlog: 0,
        offered_per_s: plan.scenario.load.pace.offered_per_s(),
        faults: Vec::new(),
        injections: Vec::new(),
        exploration: None,
        answers: Vec::new(),
        stories: Vec::new(),
        pictures: Pictures::default(),
        servers: Vec::new(),
        drivers: Vec::new(),
        took: Duration::ZERO,
    }
}

pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

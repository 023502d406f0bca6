//! One schedule: a cell in virtual time, decided by its seed.

use std::sync::Arc;
use std::time::Duration;

use lockproof_checkers::Checker;
use lockproof_env::Random;
use lockproof_model::{BookingTable, Evidence, FaultRecord, Finding, History, LockLeft};
use lockproof_rig::sim::SimRig;
use lockproof_sim::Simulation;

use crate::cell::{CellPlan, Finished, blank, finish};
use crate::conduct::{Outcome, Terms, conduct, rig_plan};

/// Virtual time after which a schedule is cut short: far beyond what a load needs, since nobody waits for it.
const LIMIT: Duration = Duration::from_secs(600);

/// Each schedule has servers of its own, so one prefix does.
const KEY_PREFIX: &str = "lockproof:";

/// What a schedule came to.
#[derive(Debug)]
pub struct Schedule {
    /// What the holders did.
    pub history: History,
    /// What the database held.
    pub table: BookingTable,
    /// What the faults did.
    pub injections: Vec<FaultRecord>,
    /// Locks that stood in the end.
    pub left: Vec<LockLeft>,
    /// Virtual time that it took.
    pub took: Duration,
    /// Why it was cut short, where it was.
    pub cut_short: Option<&'static str>,
}

impl Schedule {
    /// What checkers look at.
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        let Self { history, table, injections, left, .. } = self;
        Evidence { history, table, faults: injections, left }
    }

    /// What `checkers` say of it.
    #[must_use]
    pub fn judge(&self, checkers: &[&'static dyn Checker]) -> Vec<Finding> {
        lockproof_checkers::judge_all(&self.evidence(), checkers.iter().copied())
    }
}

/// Runs the schedule that `plan.seed` decides. The same plan gives the same schedule, byte for byte.
///
/// # Errors
/// A sentence: holders could not be connected, since a fault had come before.
///
/// # Panics
/// When a task panics, which is a bug, or hangs for ever, which is one too; both name the seed.
pub fn simulate(plan: &CellPlan) -> Result<Schedule, String> {
    let (outcome, took) = run(plan)?;
    let Outcome { record, table, injections, left, cut_short, .. } = outcome;
    Ok(Schedule { history: record.history, table, injections, left, took, cut_short })
}

/// The same, with everything that a report shows.
pub(crate) fn simulate_cell(plan: &CellPlan, checkers: &[&'static dyn Checker]) -> Finished {
    match run(plan) {
        Ok((outcome, _)) => finish(plan, checkers, outcome, None),
        Err(error) => Finished {
            report: lockproof_model::CellReport {
                judgement: lockproof_model::Judgement {
                    status: lockproof_model::Status::Inconclusive,
                    reasons: vec![error],
                },
                ..blank(plan)
            },
            artifacts: None,
        },
    }
}

fn run(plan: &CellPlan) -> Result<(Outcome, Duration), String> {
    if let Some(why) = plan.cell.strategy.live_only() {
        return Err(why);
    }
    let simulation = Simulation::new(plan.seed);
    let rig = SimRig::with_driver(&simulation, rig_plan(plan, KEY_PREFIX), plan.driver);
    let rig = Arc::new(rig);
    let env = simulation.env();
    let terms = Terms {
        limit: LIMIT,
        halt: None,
        salt: Random::new(plan.seed).fork("salt").bits(),
        order: None,
        key_prefix: KEY_PREFIX.to_owned(),
        // A simulated holder is stopped and killed by itself as it is.
        launcher: None,
        service: None,
        running: None,
    };
    let own = plan.clone();
    let root = async move {
        let outcome = conduct(&own, rig, &env, &terms).await;
        outcome.map(|outcome| (outcome, env.now().since_start()))
    };
    simulation.run(root).unwrap_or_else(|stuck| panic!("{stuck}"))
}

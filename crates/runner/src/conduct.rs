//! A load on a system that stands: the same in both worlds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select;
use lockproof_bookings::Layout;
use lockproof_env::Env;
use lockproof_faults::Triggers;
use lockproof_model::{
    AnswerCount, BookingTable, DriverSetting, FaultRecord, FaultSummary, LockLeft, ServerInfo,
    in_full,
};
use lockproof_rig::{RigPlan, System};
use lockproof_workload::{
    Apart, Launcher, Parties, Record, StepGate, Transcript, run, run_apart, run_customers,
};

use crate::cell::CellPlan;
use crate::order::OrderGate;
use crate::running::Running;
use crate::served::{Judged, Service};

/// How long holders may finish their attempts after an interrupt.
const GRACE: Duration = Duration::from_secs(2);
const HALT_POLL: Duration = Duration::from_millis(20);

/// Under which a load runs, beside what its plan says.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// A load that takes longer is cut short and inconclusive.
    pub(crate) limit: Duration,
    /// Raised by an interrupt; none where nobody can.
    pub(crate) halt: Option<Arc<AtomicBool>>,
    /// Keeps the owner values of two runs of one seed apart, where they share a server.
    pub(crate) salt: u64,
    /// Put before every key of the cell.
    pub(crate) key_prefix: String,
    /// The order in which steps have to come, where a replay prescribes one.
    pub(crate) order: Option<OrderGate>,
    /// Starts holders, where they are processes.
    pub(crate) launcher: Option<Arc<dyn Launcher>>,
    /// What is put to the test, where that is a service and holders are its customers.
    pub(crate) service: Option<Arc<Service>>,
    /// Through which others look on, where there are any.
    pub(crate) running: Option<Running>,
}

/// What a load left behind.
pub(crate) struct Outcome {
    pub(crate) record: Record,
    pub(crate) table: BookingTable,
    pub(crate) injections: Vec<FaultRecord>,
    pub(crate) faults: Vec<FaultSummary>,
    pub(crate) left: Vec<LockLeft>,
    pub(crate) cut_short: Option<&'static str>,
    pub(crate) servers: Vec<ServerInfo>,
    pub(crate) drivers: Vec<DriverSetting>,
    /// Which server of somebody else did not last as long as the load.
    pub(crate) gone: Option<String>,
    /// How the service answered, where there is one.
    pub(crate) answers: Vec<AnswerCount>,
    /// What contradicts itself in the service's tables.
    pub(crate) contradictions: Vec<String>,
}

/// Runs the plan's load and faults on `system`, with the clock of `env`.
///
/// The error is a sentence: a server that could not be reached.
pub(crate) async fn conduct(
    plan: &CellPlan,
    system: Arc<dyn System>,
    env: &Env,
    terms: &Terms,
) -> Result<Outcome, String> {
    let scenario = &plan.scenario;
    let triggers =
        Triggers::new(env.fork("faults"), Arc::clone(&system).as_rig(), &scenario.faults);
    let gate = gate(terms, &triggers);
    let cut = cut_short(env, terms, &triggers);
    let begun = |start, written: &Transcript| {
        terms.running.iter().for_each(|running| running.show(written, triggers.log()));
        triggers.begin(start);
    };
    let ran = match (&terms.service, &terms.launcher) {
        (Some(service), _) => {
            let customers = service.customers(env, scenario, terms, system.as_ref(), gate);
            run_customers(&customers, &scenario.load, cut, begun).await
        }
        (None, None) => {
            let parties = parties(env, plan, terms, system.as_ref(), gate);
            run(&parties, &scenario.load, cut, begun).await
        }
        (None, Some(launcher)) => {
            let apart = Apart {
                env: env.clone(),
                launcher: Arc::clone(launcher),
                gate,
                groups: system.groups(),
                halt: terms.halt.clone().unwrap_or_default(),
            };
            run_apart(&apart, &scenario.load, cut, begun).await
        }
    };
    let (record, cut_short) = ran.map_err(|error| in_full(&error))?;
    let (injections, faults) = triggers.end().await;
    let left = system.locks_left().await;
    let Judged { table, contradictions } = match &terms.service {
        Some(service) => service.table(env, scenario).await?,
        None => {
            let table = system.store().table().await.map_err(|error| in_full(&error))?;
            Judged { table, contradictions: Vec::new() }
        }
    };
    let (mut servers, mut drivers) = (system.servers(), system.drivers());
    let mut answers = Vec::new();
    if let Some(service) = &terms.service {
        // Which drivers it has, it tells nobody; ours are not in use.
        (servers, drivers) = (service.servers(servers), Vec::new());
        answers = service.answers();
    }
    Ok(Outcome {
        record,
        table,
        injections,
        faults,
        left,
        cut_short,
        servers,
        drivers,
        gone: None,
        answers,
        contradictions,
    })
}

pub(crate) fn rig_plan(plan: &CellPlan, key_prefix: &str) -> RigPlan {
    let CellPlan { scenario, cell, seed, .. } = plan;
    RigPlan {
        name: name(plan),
        holders: scenario.load.holders,
        redis_servers: scenario.redis_servers(&cell.strategy),
        coordinator: cell.strategy.lock.needs.coordinator(),
        topology: scenario.topology,
        links: scenario.link_use(),
        lock: scenario.lock_settings(&cell.strategy, key_prefix.to_owned()),
        needs: scenario.server_needs(),
        database: scenario.database_plan(),
        layout: Layout {
            slots: scenario.load.slots,
            capacity: scenario.capacity,
            constraints: cell.strategy.guard.constraints,
        },
        seed: *seed,
    }
}

/// The number comes first, so that no two cells of a run are called the same, however much is cut off.
pub(crate) fn name(plan: &CellPlan) -> String {
    format!("{}-{}", plan.index + 1, plan.scenario.name)
}

/// Where faults come in, and an order that has to be kept.
fn gate(terms: &Terms, triggers: &Triggers) -> Arc<dyn StepGate> {
    let faults = Arc::new(triggers.clone()) as Arc<dyn StepGate>;
    match &terms.order {
        Some(order) => Arc::new(order.before(faults)),
        None => faults,
    }
}

fn parties(
    env: &Env,
    plan: &CellPlan,
    terms: &Terms,
    system: &dyn System,
    gate: Arc<dyn StepGate>,
) -> Parties {
    let strategy = plan.cell.strategy;
    let lock = plan.scenario.lock_settings(&strategy, terms.key_prefix.clone());
    Parties {
        env: env.clone(),
        lock: (strategy.lock.build)(lock, system.backends(), env.fork("lock")),
        policy: plan.scenario.policy(),
        keep: plan.scenario.keep(&strategy),
        salt: terms.salt,
        store: system.store(),
        guard: strategy.guard.guard,
        gate,
        groups: system.groups(),
        halt: terms.halt.clone().unwrap_or_default(),
    }
}

/// Completes when the load has to be cut short, and says why.
async fn cut_short(env: &Env, terms: &Terms, triggers: &Triggers) -> &'static str {
    let late = async {
        env.sleep(terms.limit).await;
        "the load did not end within the cell's time limit"
    };
    let halted = async {
        let Some(halt) = &terms.halt else { return std::future::pending().await };
        while !halt.load(Ordering::Relaxed) {
            env.sleep(HALT_POLL).await;
        }
        // What is paused or held must go on, or it could not finish its attempt.
        triggers.heal_all();
        env.sleep(GRACE).await;
        "interrupted"
    };
    select(late.boxed(), halted.boxed()).await.factor_first().0
}

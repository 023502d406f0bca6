//! Every scenario under every strategy.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use lockproof_env::Random;
use lockproof_model::CellReport;
use lockproof_rig::sim::RedisDriver;
use lockproof_scenario::Scenario;

use crate::cell::{CellPlan, CellSettings, Finished, run_cell};
use crate::running::Running;

/// The cells of a run, side by side.
#[derive(Debug)]
pub struct Matrix {
    /// What to run, in the order of the report.
    pub plans: Vec<CellPlan>,
    /// What they share.
    pub settings: CellSettings,
    /// How many run at one time.
    pub jobs: usize,
}

/// Told of every cell, on the thread that runs the matrix.
pub trait Observer {
    /// A cell has begun.
    fn begun(&mut self, plan: &CellPlan);
    /// Through `running` can be seen what the cell does, should it be a live one. Nobody has to look.
    fn shown(&mut self, _plan: &CellPlan, _running: Running) {}
    /// A cell has ended. Its artifacts are the observer's to keep.
    fn finished(&mut self, plan: &CellPlan, finished: Finished) -> CellReport;
}

/// The cells of `scenarios`, each with a seed that depends on the run's, the scenario and the strategy alone: taking
/// one out changes nothing for the others.
#[must_use]
pub fn cells_of(scenarios: &[Arc<Scenario>], seed: u64) -> Vec<CellPlan> {
    let cells = scenarios
        .iter()
        .flat_map(|scenario| scenario.cells.iter().map(move |&cell| (Arc::clone(scenario), cell)));
    cells
        .enumerate()
        .map(|(index, (scenario, cell))| {
            let label = format!("{}/{}", scenario.name, cell.strategy);
            let seed = Random::new(seed).fork(&label).bits();
            CellPlan { index, scenario, cell, seed, driver: RedisDriver::default() }
        })
        .collect()
}

enum Event {
    Begun(usize, Running),
    Finished(usize, Box<Finished>),
}

impl Matrix {
    /// Runs every cell, or those that began before the halt, and gives their reports in the order of the plans.
    ///
    /// # Panics
    /// When a thread cannot be started, or a cell panics: a bug.
    pub fn run(&self, observer: &mut dyn Observer) -> Vec<CellReport> {
        let queue: Mutex<VecDeque<usize>> = Mutex::new((0..self.plans.len()).collect());
        let mut reports: Vec<Option<CellReport>> = self.plans.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            let (events, received) = mpsc::channel();
            for _ in 0..self.jobs.max(1) {
                let (events, queue) = (events.clone(), &queue);
                scope.spawn(move || self.work(queue, &events));
            }
            drop(events);
            for event in received {
                match event {
                    Event::Begun(index, running) => {
                        observer.begun(&self.plans[index]);
                        observer.shown(&self.plans[index], running);
                    }
                    Event::Finished(index, finished) => {
                        reports[index] = Some(observer.finished(&self.plans[index], *finished));
                    }
                }
            }
        });
        reports.into_iter().flatten().collect()
    }

    fn work(&self, queue: &Mutex<VecDeque<usize>>, events: &mpsc::Sender<Event>) {
        while !self.settings.halt.load(Ordering::Relaxed) {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(index) = next else { return };
            // Nobody listens any more only when the observer panicked; then there is nothing to go on for.
            let running = Running::default();
            if events.send(Event::Begun(index, running.clone())).is_err() {
                return;
            }
            let finished = run_cell(&self.plans[index], &self.settings, running);
            if events.send(Event::Finished(index, Box::new(finished))).is_err() {
                return;
            }
        }
    }
}

//! Fires faults: at steps, as the workload's gate, and by the time line.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, select_all};
use futures_util::{FutureExt, future};
use lockproof_env::{Env, Latch, Task};
use lockproof_model::{FaultRecord, FaultSummary, Instant, Point};
use lockproof_rig::Rig;
use lockproof_workload::{Occurrence, StepGate};
use tokio::sync::oneshot;

use crate::log::FaultLog;
use crate::trigger::{Choice, Event, FaultPlan, Trigger, reaches};
use crate::{Injection, Lasts, Occasion};

/// The faults of one cell, armed.
#[derive(Clone, Debug)]
pub struct Triggers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    env: Env,
    rig: Arc<dyn Rig>,
    armed: Vec<Armed>,
    log: FaultLog,
    watchers: Mutex<Vec<Watcher>>,
    /// Healing tasks and time lines under way.
    running: Mutex<Vec<Task<()>>>,
    /// Raised once: everything heals.
    ending: Latch,
}

#[derive(Debug)]
struct Armed {
    plan: FaultPlan,
    /// How often a holder has come to the point.
    count: AtomicU32,
    injected: AtomicU32,
}

/// Somebody waits for an event.
#[derive(Debug)]
struct Watcher {
    event: Event,
    victim: Occurrence,
    happened: oneshot::Sender<()>,
}

impl Triggers {
    /// Arms `plans` on `rig`. `env` is the run's own, in no holder's group: healing must not be paused.
    #[must_use]
    pub fn new(env: Env, rig: Arc<dyn Rig>, plans: &[FaultPlan]) -> Self {
        let armed = plans
            .iter()
            .map(|plan| Armed { plan: plan.clone(), count: 0.into(), injected: 0.into() })
            .collect();
        Self(Arc::new(Inner {
            env,
            rig,
            armed,
            log: FaultLog::default(),
            watchers: Mutex::default(),
            running: Mutex::default(),
            ending: Latch::new(),
        }))
    }

    /// What they do, for whoever looks while the load goes on.
    #[must_use]
    pub fn log(&self) -> FaultLog {
        self.0.log.clone()
    }

    /// Starts the time line: the load begins at `start`.
    pub fn begin(&self, start: Instant) {
        for index in 0..self.0.armed.len() {
            let Trigger::Window { from, until } = self.0.armed[index].plan.trigger else {
                continue;
            };
            let inner = Arc::clone(&self.0);
            let line = async move {
                if inner.sleep_until(start + from).await {
                    inner.window(index, until.map(|until| start + until)).await;
                }
            };
            self.0.keep(self.0.env.spawn(line));
        }
    }

    /// Heals everything, and injects nothing any more.
    pub fn heal_all(&self) {
        self.0.ending.raise();
    }

    /// Heals everything and gives what was done: a record per injection and a summary per fault.
    ///
    /// # Cancel safety
    /// Dropped, the healing goes on.
    pub async fn end(&self) -> (Vec<FaultRecord>, Vec<FaultSummary>) {
        self.heal_all();
        loop {
            let task = self.0.lock(&self.0.running).pop();
            match task {
                // A stopped task has dropped its injection, which heals it.
                Some(task) => {
                    let _ = task.await;
                }
                None => break,
            }
        }
        let records = self.0.log.take();
        let summaries = self.0.armed.iter().map(|armed| armed.summary(&records)).collect();
        (records, summaries)
    }
}

impl StepGate for Triggers {
    fn concerns(&self, point: Point) -> bool {
        self.0.armed.iter().any(|armed| match armed.plan.trigger {
            Trigger::AtStep { point: at, until, .. } => {
                at == point || until.is_some_and(|event| Point::after(event.step) == point)
            }
            Trigger::Window { .. } => false,
        })
    }

    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        self.0.notify(occurrence);
        let due = self.0.due(occurrence);
        if due.is_empty() {
            return None;
        }
        let fire = async move {
            for index in due {
                Inner::fire(&self.0, index, occurrence).await;
            }
        };
        Some(fire.boxed())
    }
}

impl Inner {
    /// Tells those who wait for this.
    fn notify(&self, occurrence: &Occurrence) {
        let mut watchers = self.lock(&self.watchers);
        let happened = |watcher: &mut Watcher| watcher.event.is(occurrence, &watcher.victim);
        let told: Vec<_> = watchers.extract_if(.., happened).collect();
        drop(watchers);
        for watcher in told {
            // Nobody listens any more when the length ran out first.
            let _ = watcher.happened.send(());
        }
    }

    /// The faults that fire at this occurrence.
    fn due(&self, occurrence: &Occurrence) -> Vec<usize> {
        let due = |(_, armed): &(usize, &Armed)| {
            let Trigger::AtStep { point, choice, .. } = armed.plan.trigger else { return false };
            let whom = &armed.plan.holders;
            reaches(point, occurrence)
                && (whom.is_empty() || whom.contains(&occurrence.holder))
                && self.chosen(armed, choice)
        };
        self.armed.iter().enumerate().filter(due).map(|(index, _)| index).collect()
    }

    fn chosen(&self, armed: &Armed, choice: Choice) -> bool {
        let count = armed.count.fetch_add(1, Ordering::Relaxed) + 1;
        !self.ending.is_raised() && choice.fires(count, || self.env.random().unit())
    }

    /// Injects at a step. Returns when the holder may go on: at once, or once healed where the fault holds the step.
    async fn fire(this: &Arc<Self>, index: usize, occurrence: &Occurrence) {
        let plan = &this.armed[index].plan;
        let Trigger::AtStep { length, until, .. } = plan.trigger else { return };
        // Watched before it is injected: what happens meanwhile counts.
        let event = until.map(|event| this.watch(event, occurrence));
        let Some((injection, place)) = this.inject(index, Some(occurrence)).await else { return };
        let holds = injection.holds_step();
        let lasting = plan.fault.lasts() == Lasts::UntilHealed;
        let inner = Arc::clone(this);
        // Dropped when the task ends, however it does.
        let (healing, healed) = oneshot::channel::<()>();
        // Kept even where the holder waits for it: a holder that is dropped meanwhile must not take the evidence along.
        this.keep(this.env.spawn(async move {
            let _healing = healing;
            if lasting {
                inner.wait(length, event).await;
            }
            inner.heal(injection, place).await;
        }));
        if holds {
            // Nothing is ever sent: it is the end of the task that lets the holder go on.
            let _ = healed.await;
        }
    }

    /// Injects by the time line and heals at `until`, or when everything ends.
    async fn window(&self, index: usize, until: Option<Instant>) {
        let Some((injection, place)) = self.inject(index, None).await else { return };
        if self.armed[index].plan.fault.lasts() == Lasts::UntilHealed {
            let length = until.map(|until| until.saturating_since(self.env.now()));
            self.wait(length, None).await;
        }
        self.heal(injection, place).await;
    }

    async fn inject(
        &self,
        index: usize,
        occurrence: Option<&Occurrence>,
    ) -> Option<(Box<dyn Injection>, usize)> {
        let armed = &self.armed[index];
        let at = self.env.now();
        let place = self.log.injected(&armed.plan, at, occurrence);
        armed.injected.fetch_add(1, Ordering::Relaxed);
        let occasion = Occasion { at, occurrence, holders: &armed.plan.holders };
        match armed.plan.fault.inject(self.rig.as_ref(), occasion).await {
            Ok(injection) => Some((injection, place)),
            Err(error) => {
                self.log.failed(place, self.env.now(), &error);
                None
            }
        }
    }

    async fn heal(&self, injection: Box<dyn Injection>, place: usize) {
        let healed = injection.heal(self.env.now()).await;
        self.log.healed(place, self.env.now(), healed);
    }

    /// Waits for the length to pass, the event to happen, or the end of everything.
    async fn wait(&self, length: Option<Duration>, event: Option<oneshot::Receiver<()>>) {
        let mut ends = vec![self.ended().boxed()];
        ends.extend(length.map(|length| self.env.sleep(length).boxed()));
        // A sender that is gone was replaced by nobody: the event cannot happen any more.
        ends.extend(event.map(|event| {
            async {
                if event.await.is_err() {
                    future::pending::<()>().await;
                }
            }
            .boxed()
        }));
        select_all(ends).await;
    }

    /// Sleeps; false when everything ended meanwhile.
    async fn sleep_until(&self, deadline: Instant) -> bool {
        let (slept, ended) = (self.env.sleep_until(deadline).boxed(), self.ended().boxed());
        matches!(future::select(ended, slept).await, future::Either::Right(_))
    }

    async fn ended(&self) {
        self.ending.raised().await;
    }

    fn watch(&self, event: Event, victim: &Occurrence) -> oneshot::Receiver<()> {
        let (happened, receiver) = oneshot::channel();
        self.lock(&self.watchers).push(Watcher { event, victim: victim.clone(), happened });
        receiver
    }

    fn keep(&self, task: Task<()>) {
        self.lock(&self.running).push(task);
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn summary(&self, records: &[FaultRecord]) -> FaultSummary {
        let injected = self.injected.load(Ordering::Relaxed);
        FaultSummary { injected, ..self.plan.summary(records) }
    }
}

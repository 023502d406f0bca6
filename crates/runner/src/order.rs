//! The order of a schedule, held to by whoever replays it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::{Env, Latch};
use lockproof_model::{History, Moment, Point};
use lockproof_scenario::Turn;
use lockproof_workload::{Occurrence, StepGate};

/// How long a holder waits for its turn before the order counts as lost: a live server may answer otherwise than the
/// simulated one did, and then the turn never comes.
const PATIENCE: Duration = Duration::from_secs(3);

/// The turns of a history: each step as it was begun and as its end was seen.
#[must_use]
pub fn turns_of(history: &History) -> Vec<Turn> {
    let mut turns: Vec<_> = history
        .operations
        .iter()
        .flat_map(|operation| {
            let holder = operation.holder;
            let turn = |point| Turn { holder, point };
            let begun = (operation.invoked, turn(Point::before(operation.step)));
            let ended = operation.completed.map(|at| (at, turn(Point::after(operation.step))));
            std::iter::once(begun).chain(ended)
        })
        .collect();
    // Stable: of one holder's at one instant, the end of a step comes before the begin of the next.
    turns.sort_by_key(|(at, _)| *at);
    turns.into_iter().map(|(_, turn)| turn).collect()
}

/// Lets holders go on in a given order.
#[derive(Clone)]
pub(crate) struct OrderGate(Arc<Inner>);

struct Inner {
    env: Env,
    turns: Vec<Turn>,
    state: Mutex<State>,
}

struct State {
    /// The turn that is next.
    next: usize,
    /// Raised when the turn moves on, and replaced.
    moved: Latch,
    /// A turn that never came.
    lost: Option<Turn>,
}

impl OrderGate {
    pub(crate) fn new(env: Env, turns: Vec<Turn>) -> Self {
        let state = State { next: 0, moved: Latch::new(), lost: None };
        Self(Arc::new(Inner { env, turns, state: Mutex::new(state) }))
    }

    /// This gate, and then `inner` for each that it lets through.
    pub(crate) fn before(&self, inner: Arc<dyn StepGate>) -> Ordered {
        Ordered { order: self.clone(), inner }
    }

    /// How far the order was kept: every turn, or the one that never came.
    pub(crate) fn kept(&self) -> Result<(), String> {
        let state = self.0.state();
        match (state.lost, self.0.turns.get(state.next)) {
            (None, None) => Ok(()),
            (Some(turn), _) | (None, Some(&turn)) => {
                let (number, of) = (state.next + 1, self.0.turns.len());
                Err(format!("step {number} of {of}, {turn}, did not come"))
            }
        }
    }

    async fn wait(&self, turn: Turn) {
        let deadline = self.0.env.now() + PATIENCE;
        loop {
            let moved = {
                let mut state = self.0.state();
                // Whoever is not in what is left of the schedule is not held up by it.
                let left = &self.0.turns[state.next..];
                if state.lost.is_some() || !left.contains(&turn) {
                    return;
                }
                if left.first() == Some(&turn) {
                    state.next += 1;
                    std::mem::take(&mut state.moved).raise();
                    return;
                }
                state.moved.clone()
            };
            let wait = deadline.saturating_since(self.0.env.now());
            if self.0.env.timeout(wait, moved.raised()).await.is_err() {
                let mut state = self.0.state();
                state.lost = self.0.turns.get(state.next).copied();
                std::mem::take(&mut state.moved).raise();
                return;
            }
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OrderGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderGate").field("next", &self.0.state().next).finish_non_exhaustive()
    }
}

/// An order, and what comes after it.
#[derive(Debug)]
pub(crate) struct Ordered {
    order: OrderGate,
    inner: Arc<dyn StepGate>,
}

impl StepGate for Ordered {
    fn concerns(&self, point: Point) -> bool {
        point.moment != Moment::Answer || self.inner.concerns(point)
    }

    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        let pass = async move {
            let Occurrence { holder, point, .. } = *occurrence;
            if point.moment != Moment::Answer {
                self.order.wait(Turn { holder, point }).await;
            }
            if self.inner.concerns(point)
                && let Some(wait) = self.inner.pass(occurrence)
            {
                wait.await;
            }
        };
        Some(pass.boxed())
    }
}

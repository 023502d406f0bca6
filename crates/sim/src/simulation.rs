//! The run loop.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::{Env, Runtime};
use lockproof_model::Instant;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::agenda::{Agenda, Happening};
use crate::sleep::Sleep;
use crate::tasks::{Ready, Tasks};

/// Polls without virtual time moving on, after which a task must be spinning.
const LONGEST_INSTANT: u64 = 10_000_000;

/// One simulated run. Dropping it drops every task.
pub struct Simulation {
    core: Arc<Core>,
}

/// A way into a running simulation: its time, and things to come.
#[derive(Clone)]
pub struct Handle(Arc<Core>);

pub(crate) struct Core {
    seed: u64,
    now: AtomicU64,
    ready: Arc<Ready>,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) agenda: Agenda,
    tasks: Tasks,
    chooser: ChaCha8Rng,
    /// The run is over: nothing starts any more.
    over: bool,
    polls: u64,
    /// Since time last moved on.
    polls_of_instant: u64,
}

/// Nothing can run and nothing is due, but the run has not ended: its tasks wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// When.
    pub at: Instant,
    /// Of which run.
    pub seed: u64,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, seed } = self;
        write!(f, "the simulation of seed {seed:#x} is stuck after {:?}: ", at.since_start())?;
        f.write_str("every task waits and nothing is due")
    }
}

impl std::error::Error for Stuck {}

impl Simulation {
    /// An empty run whose every order `seed` decides, at time zero.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let ready = Arc::<Ready>::default();
        let state = State {
            agenda: Agenda::default(),
            tasks: Tasks::new(Arc::clone(&ready)),
            chooser: ChaCha8Rng::seed_from_u64(seed),
            over: false,
            polls: 0,
            polls_of_instant: 0,
        };
        Self { core: Arc::new(Core { seed, now: AtomicU64::new(0), ready, state: state.into() }) }
    }

    /// Time, randomness and spawning of this run, its randomness from the run's seed.
    #[must_use]
    pub fn env(&self) -> Env {
        Env::new(Arc::new(self.handle()), self.core.seed)
    }

    /// A way in, for what is not a task.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.core))
    }

    /// Runs until `root` has ended, whatever else is still going on then.
    ///
    /// # Errors
    /// [`Stuck`] when `root` can never end.
    ///
    /// # Panics
    /// When a task does, naming the seed and the virtual time; or when a task spins.
    pub fn run<T: Send + 'static>(
        &self,
        root: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stuck> {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        let taken = || result.lock().unwrap_or_else(PoisonError::into_inner).take();
        let root = root.map(move |output| {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
        });
        // A task like any other; only its end is watched.
        self.core.spawn(root.boxed());
        loop {
            if self.core.poll_one() {
                if let Some(output) = taken() {
                    return Ok(output);
                }
            } else if !self.core.advance() {
                return Err(Stuck { at: self.core.instant(), seed: self.core.seed });
            }
        }
    }

    /// How many times tasks were polled.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.core.state().polls
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let (tasks, happenings) = {
            let mut state = self.core.state();
            state.over = true;
            (state.tasks.clear(), state.agenda.clear())
        };
        // Outside the lock: destructors wake, spawn and schedule, none of which does anything now.
        drop(tasks);
        drop(happenings);
        // What those put there before they knew.
        let left = self.core.state().agenda.clear();
        drop(left);
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Simulation");
        f.field("seed", &self.core.seed).field("now", &self.core.instant()).finish_non_exhaustive()
    }
}

impl Handle {
    /// Now, in virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.instant()
    }

    /// Does `what` once `delay` has passed, outside every task and every group: what the world does by itself.
    pub fn after(&self, delay: Duration, what: impl FnOnce() + Send + 'static) {
        let at = self.0.nanos().saturating_add(nanos(delay));
        let mut state = self.0.state();
        if !state.over {
            state.agenda.put(at, Happening::Call(Box::new(what)));
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Runtime for Handle {
    fn now(&self) -> Instant {
        self.0.instant()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let deadline = self.0.nanos().saturating_add(nanos(duration));
        Sleep::new(Arc::clone(&self.0), deadline).boxed()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.0.spawn(future);
    }
}

impl Core {
    pub(crate) fn nanos(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instant(&self) -> Instant {
        Instant::ZERO + Duration::from_nanos(self.nanos())
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        let mut state = self.state();
        if state.over {
            drop(state);
            drop(future);
        } else {
            state.tasks.add(future);
        }
    }

    /// Polls one of the tasks that can run, which the seed chooses; false when none can.
    fn poll_one(&self) -> bool {
        let mut state = self.state();
        let Some(task) = self.choose(&mut state.chooser) else { return false };
        let Some((mut future, waker)) = state.tasks.take(task) else { return true };
        state.polls += 1;
        state.polls_of_instant += 1;
        let spins = state.polls_of_instant > LONGEST_INSTANT;
        drop(state);
        assert!(
            !spins,
            "the simulation of seed {:#x} spins: a task wakes itself for ever",
            self.seed
        );
        let mut context = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        match polled {
            Ok(poll) if poll.is_pending() => self.state().tasks.put_back(task, future),
            Ok(_) => {
                // Dropped before its place is free, and outside the lock.
                drop(future);
                self.state().tasks.remove(task);
            }
            Err(panic) => self.blame(panic.as_ref()),
        }
        true
    }

    fn choose(&self, chooser: &mut ChaCha8Rng) -> Option<usize> {
        let mut ready = self.ready.list();
        let count = u64::try_from(ready.len()).unwrap_or(u64::MAX);
        match count {
            0 => None,
            1 => ready.pop(),
            _ => {
                // Widening multiplication, as unbiased as any run could show.
                let drawn = (u64::from(chooser.next_u32()) * count) >> 32;
                Some(ready.swap_remove(usize::try_from(drawn).unwrap_or(0)))
            }
        }
    }

    /// Goes to the next instant at which something is due and lets all of it happen; false when nothing is.
    fn advance(&self) -> bool {
        let now = {
            let mut state = self.state();
            let Some(next) = state.agenda.next() else { return false };
            state.polls_of_instant = 0;
            next.max(self.nanos())
        };
        self.now.store(now, Ordering::Relaxed);
        loop {
            let due = self.state().agenda.due(now);
            match due {
                Some(Happening::Wake(waker)) => waker.wake(),
                Some(Happening::Call(call)) => call(),
                None => return true,
            }
        }
    }

    fn blame(&self, panic: &(dyn Any + Send)) -> ! {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        panic!(
            "a task of the simulation of seed {:#x} panicked after {:?}: {}",
            self.seed,
            self.instant().since_start(),
            text.unwrap_or("no message")
        );
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

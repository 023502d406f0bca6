//! The run loop.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::{Env, Runtime};
use lockproof_model::Instant;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use crate::agenda::{Agenda, Event, Happening, once};
use crate::shared::Shared;
use crate::sleep::Sleep;
use crate::tasks::{News, Tasks};

/// Polls without virtual time moving on, after which a task must be spinning.
const LONGEST_INSTANT: u64 = 10_000_000;

/// One simulated run. Dropping it drops every task.
pub struct Simulation {
    core: Shared<Core>,
    /// The run loop's own: only it polls.
    tasks: RefCell<Running>,
}

/// A way into a running simulation: its time, and things to come.
#[derive(Clone)]
pub struct Handle(Shared<Core>);

pub(crate) struct Core {
    seed: u64,
    now: Cell<u64>,
    /// What comes up while a task runs. The run loop owns the tasks themselves, which are polled without a borrow.
    news: RefCell<News>,
    agenda: RefCell<Agenda>,
}

struct Running {
    tasks: Tasks,
    /// Tasks that can run, in the order in which they were woken.
    ready: Vec<usize>,
    chooser: Xoshiro256PlusPlus,
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
        let core =
            Core { seed, now: Cell::new(0), news: RefCell::default(), agenda: RefCell::default() };
        let running = Running {
            tasks: Tasks::default(),
            ready: Vec::new(),
            chooser: Xoshiro256PlusPlus::seed_from_u64(seed),
            polls: 0,
            polls_of_instant: 0,
        };
        Self { core: Shared::new(core), tasks: RefCell::new(running) }
    }

    /// Time, randomness and spawning of this run, its randomness from the run's seed.
    #[must_use]
    pub fn env(&self) -> Env {
        Env::new(Arc::new(self.handle()), self.core.seed)
    }

    /// A way in, for what is not a task.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.core.clone())
    }

    /// Runs until `root` has ended, whatever else is still going on then.
    ///
    /// # Errors
    /// [`Stuck`] when `root` can never end.
    ///
    /// # Panics
    /// When a task does, naming the seed and the virtual time; when a task spins; or when a task calls this.
    pub fn run<T: Send + 'static>(
        &self,
        root: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stuck> {
        let result = Shared::new(Cell::new(None));
        let place = result.clone();
        let root = root.map(move |output| place.set(Some(output)));
        let mut running = self.tasks.borrow_mut();
        // A task like any other; only its end is watched.
        let root = running.tasks.add(&self.core, root.boxed());
        running.ready.push(root);
        loop {
            match running.poll_one(&self.core) {
                Polled::Ended(task) if task == root => {
                    return Ok(result.take().expect("the root has ended and left its output"));
                }
                Polled::Ended(_) | Polled::Pending => {}
                Polled::Nothing if self.core.advance() => running.polls_of_instant = 0,
                Polled::Nothing => {
                    return Err(Stuck { at: self.core.instant(), seed: self.core.seed });
                }
            }
        }
    }

    /// How many times tasks were polled.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.tasks.borrow().polls
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let news = {
            let mut news = self.core.news();
            news.over = true;
            std::mem::take(&mut news.spawned)
        };
        // Outside the borrows: destructors wake, spawn and schedule, none of which does anything any more.
        drop(news);
        drop(std::mem::take(&mut self.tasks.get_mut().tasks));
        let left = self.core.agenda().clear();
        drop(left);
        // What those put there.
        let left = self.core.agenda().clear();
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
    pub fn after(&self, delay: Duration, what: impl FnOnce() + 'static) {
        let at = self.0.nanos().saturating_add(nanos(delay));
        self.0.agenda().put(at, Happening::Event(once(what)));
    }

    /// Lets `event` happen at `at`, or now where that has passed.
    pub fn at(&self, at: Instant, event: Rc<dyn Event>) {
        let at = at.as_nanos().max(self.0.nanos());
        self.0.agenda().put(at, Happening::Event(event));
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
        Sleep::new(self.0.clone(), deadline).boxed()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        let mut news = self.0.news();
        if news.over {
            drop(news);
            drop(future);
        } else {
            news.spawned.push(future);
        }
    }
}

/// What came of looking for a task to poll.
enum Polled {
    Nothing,
    Pending,
    Ended(usize),
}

impl Running {
    /// Polls one of the tasks that can run, which the seed chooses.
    fn poll_one(&mut self, core: &Shared<Core>) -> Polled {
        self.read_news(core);
        let Some(number) = self.choose() else { return Polled::Nothing };
        let Some(task) = self.tasks.get_mut(number) else { return Polled::Pending };
        self.polls += 1;
        self.polls_of_instant += 1;
        assert!(
            self.polls_of_instant <= LONGEST_INSTANT,
            "the simulation of seed {:#x} spins: a task wakes itself for ever",
            core.seed
        );
        task.listen();
        let mut context = Context::from_waker(&task.waker);
        let future = &mut task.future;
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(poll) if poll.is_pending() => Polled::Pending,
            Ok(_) => {
                drop(self.tasks.remove(number));
                Polled::Ended(number)
            }
            Err(panic) => core.blame(panic.as_ref()),
        }
    }

    fn read_news(&mut self, core: &Shared<Core>) {
        let mut news = core.news();
        self.ready.append(&mut news.woken);
        if !news.spawned.is_empty() {
            let spawned = std::mem::take(&mut news.spawned);
            drop(news);
            for future in spawned {
                let task = self.tasks.add(core, future);
                self.ready.push(task);
            }
        }
    }

    fn choose(&mut self) -> Option<usize> {
        let count = u64::try_from(self.ready.len()).unwrap_or(u64::MAX);
        match count {
            0 => None,
            1 => self.ready.pop(),
            _ => {
                // Widening multiplication, as unbiased as any run could show.
                let drawn = (u64::from(self.chooser.next_u32()) * count) >> 32;
                Some(self.ready.swap_remove(usize::try_from(drawn).unwrap_or(0)))
            }
        }
    }
}

impl Core {
    pub(crate) fn nanos(&self) -> u64 {
        self.now.get()
    }

    pub(crate) fn agenda(&self) -> RefMut<'_, Agenda> {
        self.agenda.borrow_mut()
    }

    pub(crate) fn news(&self) -> RefMut<'_, News> {
        self.news.borrow_mut()
    }

    fn instant(&self) -> Instant {
        Instant::from_nanos(self.nanos())
    }

    /// Goes on to the next instant at which a task can run, letting all happen that is due by then; false when nothing
    /// is due any more.
    fn advance(&self) -> bool {
        let mut has_advanced = false;
        loop {
            // Whatever is due at one instant happens before a task runs.
            let until = if self.news().is_empty() { u64::MAX } else { self.nanos() };
            let next = self.agenda().pop(until);
            let Some((at, happening)) = next else { return has_advanced };
            has_advanced = true;
            self.now.set(at.max(self.nanos()));
            match happening {
                Happening::Wake(waker) => waker.wake(),
                Happening::Event(event) => event.happen(),
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

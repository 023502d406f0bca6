//! Tasks, and which of them can run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures_util::future::BoxFuture;

use crate::shared::Shared;
use crate::simulation::Core;

/// What has come up while a task ran: tasks that were woken, in the order in which they were, and new ones.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) woken: Vec<usize>,
    pub(crate) spawned: Vec<BoxFuture<'static, ()>>,
    /// The run is over: nothing starts any more.
    pub(crate) over: bool,
}

impl News {
    pub(crate) const fn is_empty(&self) -> bool {
        self.woken.is_empty() && self.spawned.is_empty()
    }
}

/// Makes a task ready.
struct Rouser {
    core: Shared<Core>,
    task: usize,
    /// Ready already, or gone: then a wake is nothing. Atomic for the sake of a waker's type, and never contended.
    deaf: AtomicBool,
}

impl Rouser {
    /// Says whether it was deaf before. Not a swap: there is but one thread.
    fn deafen(&self) -> bool {
        let was_deaf = self.deaf.load(Ordering::Relaxed);
        self.deaf.store(true, Ordering::Relaxed);
        was_deaf
    }
}

impl Wake for Rouser {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.deafen() {
            self.core.news().woken.push(self.task);
        }
    }
}

/// A task that has not ended.
pub(crate) struct Task {
    pub(crate) future: BoxFuture<'static, ()>,
    rouser: Arc<Rouser>,
    pub(crate) waker: Waker,
}

impl Task {
    /// From now on it hears wakes.
    pub(crate) fn listen(&self) {
        self.rouser.deaf.store(false, Ordering::Relaxed);
    }
}

/// Every task that has not ended.
#[derive(Default)]
pub(crate) struct Tasks {
    slots: Vec<Option<Task>>,
    free: Vec<usize>,
}

impl Tasks {
    /// Adds one and says where; it is not woken by that.
    pub(crate) fn add(&mut self, core: &Shared<Core>, future: BoxFuture<'static, ()>) -> usize {
        let task = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let deaf = AtomicBool::new(true);
        let rouser = Arc::new(Rouser { core: core.clone(), task, deaf });
        let waker = Waker::from(Arc::clone(&rouser));
        self.slots[task] = Some(Task { future, rouser, waker });
        task
    }

    /// A task that was woken; none where it ended meanwhile, whose place is free from then on.
    pub(crate) fn get_mut(&mut self, task: usize) -> Option<&mut Task> {
        if self.slots[task].is_none() {
            // It had woken itself while it ended; now nothing names its place any more.
            self.free.push(task);
        }
        self.slots[task].as_mut()
    }

    /// Takes out a task that has ended; wakers of it that are left do nothing.
    pub(crate) fn remove(&mut self, task: usize) -> Option<Task> {
        let ended = self.slots[task].take()?;
        // One that woke itself while it ended is in the list already, and keeps its place until it is found there.
        if !ended.rouser.deafen() {
            self.free.push(task);
        }
        Some(ended)
    }
}

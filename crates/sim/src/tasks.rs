//! Tasks, and which of them can run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use futures_util::future::BoxFuture;

/// What has come up while a task ran: tasks that were woken, in the order in which they were, and new ones.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) woken: Vec<usize>,
    pub(crate) spawned: Vec<BoxFuture<'static, ()>>,
    /// The run is over: nothing starts any more.
    pub(crate) over: bool,
}

/// Where news is left for the run loop, which owns the tasks themselves: they are polled without a lock.
#[derive(Default)]
pub(crate) struct Mailbox(Mutex<News>);

impl Mailbox {
    pub(crate) fn open(&self) -> MutexGuard<'_, News> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a task ready.
struct Rouser {
    mailbox: Arc<Mailbox>,
    task: usize,
    /// Ready already, or gone: then a wake is nothing.
    deaf: AtomicBool,
}

impl Wake for Rouser {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.deaf.swap(true, Ordering::Relaxed) {
            self.mailbox.open().woken.push(self.task);
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
    pub(crate) fn add(&mut self, mailbox: &Arc<Mailbox>, future: BoxFuture<'static, ()>) -> usize {
        let task = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let deaf = AtomicBool::new(true);
        let rouser = Arc::new(Rouser { mailbox: Arc::clone(mailbox), task, deaf });
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
        if !ended.rouser.deaf.swap(true, Ordering::Relaxed) {
            self.free.push(task);
        }
        Some(ended)
    }
}

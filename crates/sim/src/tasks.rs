//! Tasks, and which of them can run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use futures_util::future::BoxFuture;

/// Tasks that were woken and not polled since, in the order in which they were woken.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<Vec<usize>>);

impl Ready {
    pub(crate) fn list(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a task ready.
#[derive(Debug)]
pub(crate) struct Rouser {
    ready: Arc<Ready>,
    task: usize,
    /// Ready already, being ended, or gone: then a wake is nothing.
    deaf: AtomicBool,
}

impl Wake for Rouser {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.deaf.swap(true, Ordering::Relaxed) {
            self.ready.list().push(self.task);
        }
    }
}

/// A task: taken out while it is polled.
pub(crate) struct Task {
    future: Option<BoxFuture<'static, ()>>,
    rouser: Arc<Rouser>,
    waker: Waker,
}

/// Every task that has not ended.
pub(crate) struct Tasks {
    ready: Arc<Ready>,
    slots: Vec<Option<Task>>,
    free: Vec<usize>,
}

impl Tasks {
    pub(crate) const fn new(ready: Arc<Ready>) -> Self {
        Self { ready, slots: Vec::new(), free: Vec::new() }
    }

    /// Adds one, ready to be polled.
    pub(crate) fn add(&mut self, future: BoxFuture<'static, ()>) {
        let task = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let deaf = AtomicBool::new(true);
        let rouser = Arc::new(Rouser { ready: Arc::clone(&self.ready), task, deaf });
        let waker = Waker::from(Arc::clone(&rouser));
        self.slots[task] = Some(Task { future: Some(future), rouser, waker });
        self.ready.list().push(task);
    }

    /// Takes a task's future out to poll it; it hears wakes from now on.
    pub(crate) fn take(&mut self, task: usize) -> Option<(BoxFuture<'static, ()>, Waker)> {
        let Some(task) = self.slots[task].as_mut() else {
            // It had woken itself while it ended; now nothing names its place any more.
            self.free.push(task);
            return None;
        };
        task.rouser.deaf.store(false, Ordering::Relaxed);
        Some((task.future.take()?, task.waker.clone()))
    }

    /// Puts a future back that has not ended.
    pub(crate) fn put_back(&mut self, task: usize, future: BoxFuture<'static, ()>) {
        if let Some(task) = &mut self.slots[task] {
            task.future = Some(future);
        }
    }

    /// Forgets a task that has ended; wakers of it that are left do nothing.
    pub(crate) fn remove(&mut self, task: usize) {
        if let Some(ended) = self.slots[task].take() {
            // One that woke itself while it ended is in the list already, and keeps its place until it is found there.
            if !ended.rouser.deaf.swap(true, Ordering::Relaxed) {
                self.free.push(task);
            }
        }
    }

    /// Everything, for somebody who drops it.
    pub(crate) fn clear(&mut self) -> Vec<Task> {
        self.ready.list().clear();
        self.free.clear();
        self.slots.drain(..).flatten().collect()
    }
}

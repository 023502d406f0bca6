//! Tasks that can be paused together.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// The tasks of one holder. While it is paused none of them is polled, though time goes on: timers
/// run out, answers arrive, leases end, and the holder learns of it only when it is resumed. This is
/// what a garbage collection, a SIGSTOP or a stopped virtual machine does to a process.
#[derive(Clone, Default)]
pub struct Group(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Who paused it and has not resumed it: two faults may overlap.
    pauses: u32,
    waiting: Vec<Waker>,
}

impl Group {
    /// A group with no task, running.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops polling the group's tasks. One that is being polled right now finishes that poll.
    pub fn pause(&self) {
        self.state().pauses += 1;
    }

    /// Takes one pause back. The group's tasks are polled again once every pause was.
    pub fn resume(&self) {
        let waiting = {
            let mut state = self.state();
            state.pauses = state.pauses.saturating_sub(1);
            if state.pauses > 0 {
                return;
            }
            std::mem::take(&mut state.waiting)
        };
        // Woken outside the lock: a waker may poll at once.
        for waker in waiting {
            waker.wake();
        }
    }

    /// Whether the group is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state().pauses > 0
    }

    /// Makes `future` one of the group's tasks.
    pub fn gate<F: Future>(&self, future: F) -> Gated<F> {
        Gated { group: self.clone(), future: Box::pin(future) }
    }

    /// Returns at once while the group runs, else when it is resumed: the point at which a task that
    /// has just paused its own group stops.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn running(&self) {
        poll_fn(|context| self.poll_running(context)).await;
    }

    fn poll_running(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.pauses == 0 {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("paused", &self.is_paused()).finish_non_exhaustive()
    }
}

/// A future that is polled only while its group runs.
#[derive(Debug)]
pub struct Gated<F> {
    group: Group,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Gated<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.group.poll_running(context) {
            Poll::Ready(()) => self.future.as_mut().poll(context),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_paused_group_is_not_polled_and_a_resumed_one_is() {
        let group = Group::new();
        let polls = AtomicU32::new(0);
        let mut task = group.gate(poll_fn(|_| {
            polls.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        assert!((&mut task).now_or_never().is_none());
        group.pause();
        assert!((&mut task).now_or_never().is_none());
        assert_eq!(polls.load(Ordering::Relaxed), 1, "polled while paused");
        group.resume();
        assert!((&mut task).now_or_never().is_none());
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_group_that_was_paused_twice_is_resumed_twice() {
        let group = Group::new();
        group.pause();
        group.pause();
        group.resume();
        assert!(group.is_paused());
        group.resume();
        assert!(!group.is_paused());
        group.resume();
        group.pause();
        assert!(group.is_paused(), "a resume too many is not saved up");
    }

    #[tokio::test]
    async fn a_task_that_pauses_its_own_group_stops_there_until_resumed() {
        let group = Group::new();
        let inner = group.clone();
        let mut task = group.gate(async move {
            inner.pause();
            inner.running().await;
            7
        });
        assert!((&mut task).now_or_never().is_none());
        group.resume();
        assert_eq!(task.await, 7);
    }
}

//! Tasks that can be paused together.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// The tasks of one holder. While it is paused none of them is polled, though time goes on: timers
/// run out, answers arrive, leases end, and the holder learns of it only when it is resumed. This is
/// what a garbage collection, a SIGSTOP or a stopped virtual machine does to a process.
///
/// Killed, its tasks are dropped where they stand and can start no other: nothing is cleaned up. What they had sent
/// is on its way all the same.
#[derive(Clone, Default)]
pub struct Group(Arc<Core>);

#[derive(Default)]
struct Core {
    /// Moves on whenever the group is paused or killed, so that a task sees with one look that all is as it was.
    turns: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Who paused it and has not resumed it: two faults may overlap.
    pauses: u32,
    waiting: Vec<Waker>,
    /// Between a kill and the restart.
    killed: bool,
    /// Counts lives: tasks of an earlier one are dead.
    life: u64,
    /// How to reach each task, so that a kill finds those that wait for something else.
    members: Vec<(u64, Option<Waker>)>,
    last_member: u64,
}

impl Group {
    /// A group with no task, running.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops polling the group's tasks. One that is being polled right now finishes that poll.
    pub fn pause(&self) {
        let mut state = self.state();
        state.pauses += 1;
        self.turn();
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

    /// Drops the group's tasks where they stand: one that is being polled right now at its next await. What they
    /// would start from now on, from their own destructors too, never runs.
    pub fn kill(&self) {
        let woken = {
            let mut state = self.state();
            state.killed = true;
            state.life += 1;
            state.pauses = 0;
            self.turn();
            let members: Vec<_> =
                state.members.iter_mut().filter_map(|(_, waker)| waker.take()).collect();
            let waiting = std::mem::take(&mut state.waiting);
            members.into_iter().chain(waiting)
        };
        // Each finds itself dead at its next poll and drops what it was.
        woken.for_each(Waker::wake);
    }

    /// Lets the group have tasks again: a process that is started anew. Those of before stay dead.
    pub fn restart(&self) {
        let mut state = self.state();
        state.killed = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How often it was killed: a task that was begun in an earlier life is dead.
    #[must_use]
    pub fn deaths(&self) -> u64 {
        self.state().life
    }

    /// Whether the group was killed and not restarted.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.state().killed
    }

    /// Returns at once unless the group was killed, else when it is restarted. For whoever watches over it; its own
    /// tasks are gone.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn restarted(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if !state.killed {
                return Poll::Ready(());
            }
            state.wait(context);
            Poll::Pending
        })
        .await;
    }

    /// Makes `future` one of the group's tasks.
    pub fn gate<F: Future>(&self, future: F) -> Gated<F> {
        let mut state = self.state();
        state.last_member += 1;
        let member = state.last_member;
        let future = (!state.killed).then(|| Box::pin(future));
        if future.is_some() {
            state.members.push((member, None));
        }
        Gated { group: self.clone(), member, life: state.life, known: None, future }
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
        state.wait(context);
        Poll::Pending
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called while the state is locked.
    fn turn(&self) {
        self.0.turns.fetch_add(1, Ordering::Release);
    }
}

impl State {
    fn wait(&mut self, context: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
    }

    /// Remembers how to reach a task.
    fn reach(&mut self, member: u64, context: &Context<'_>) {
        let Some((_, known)) = self.members.iter_mut().find(|(id, _)| *id == member) else {
            return;
        };
        if !known.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *known = Some(context.waker().clone());
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("paused", &self.is_paused()).finish_non_exhaustive()
    }
}

/// A future that is polled only while its group runs, and never again once it was killed.
#[derive(Debug)]
pub struct Gated<F> {
    group: Group,
    member: u64,
    /// Of the group, in which this began.
    life: u64,
    /// The turn at which the group ran and knew this waker.
    known: Option<(u64, Waker)>,
    /// None once it was killed.
    future: Option<Pin<Box<F>>>,
}

/// What a task may do.
enum Turn {
    Go,
    Wait,
    Die,
}

impl<F> Gated<F> {
    fn turn(&mut self, context: &Context<'_>) -> Turn {
        let turns = self.group.0.turns.load(Ordering::Acquire);
        let is_known =
            |(turn, waker): &(u64, Waker)| *turn == turns && waker.will_wake(context.waker());
        if self.known.as_ref().is_some_and(is_known) {
            return Turn::Go;
        }
        let mut state = self.group.state();
        // Taken again under the lock, so that it is that of what is read.
        let turns = self.group.0.turns.load(Ordering::Acquire);
        if state.life != self.life {
            return Turn::Die;
        }
        state.reach(self.member, context);
        if state.pauses > 0 {
            state.wait(context);
            return Turn::Wait;
        }
        drop(state);
        self.known = Some((turns, context.waker().clone()));
        Turn::Go
    }
}

impl<F: Future> Future for Gated<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.turn(context) {
            Turn::Go => match &mut self.future {
                Some(future) => future.as_mut().poll(context),
                None => Poll::Pending,
            },
            Turn::Wait => Poll::Pending,
            // Dropped outside the group's lock: destructors may use the group.
            Turn::Die => {
                self.future = None;
                Poll::Pending
            }
        }
    }
}

impl<F> Drop for Gated<F> {
    fn drop(&mut self) {
        let mut state = self.group.state();
        let member = self.member;
        state.members.retain(|(id, _)| *id != member);
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

    #[tokio::test]
    async fn a_killed_group_drops_its_tasks_and_starts_none_until_it_is_restarted() {
        let group = Group::new();
        let held = Arc::new(());
        let mut task = group.gate({
            let held = Arc::clone(&held);
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        });
        assert!((&mut task).now_or_never().is_none());
        group.kill();
        assert_eq!(group.deaths(), 1);
        assert!((&mut task).now_or_never().is_none());
        assert_eq!(Arc::strong_count(&held), 1, "the task was not dropped");
        assert!(group.gate(async { 1 }).now_or_never().is_none(), "the dead start nothing");
        group.restart();
        assert_eq!(group.gate(async { 1 }).now_or_never(), Some(1));
        assert!((&mut task).now_or_never().is_none(), "the dead stay dead");
    }

    #[tokio::test]
    async fn a_kill_wakes_a_task_that_waits_for_something_else() {
        let group = Group::new();
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let task = group.gate(async move {
            let _sender = sender;
            std::future::pending::<()>().await;
        });
        let (mut task, mut receiver) = (Box::pin(task), receiver);
        let killed = futures_util::future::poll_fn(|context| {
            let pending = task.as_mut().poll(context).is_pending();
            group.kill();
            Poll::Ready(pending)
        });
        assert!(killed.await);
        assert!(
            receiver
                .try_recv()
                .is_err_and(|error| error == tokio::sync::oneshot::error::TryRecvError::Empty)
        );
        // Polled only if the kill woke it.
        tokio::select! {
            () = task => unreachable!("the dead do not end"),
            told = receiver => assert!(told.is_err(), "its sender is dropped with it"),
        }
    }
}

//! An answer that is waited for.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// The connection ended before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The place where an answer will lie. The first answer stays.
pub(super) struct Ticket<T>(Mutex<State<T>>);

enum State<T> {
    Open(Option<Waker>),
    Answered(Result<T, Broken>),
    Taken,
}

impl<T> Ticket<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Open(None))))
    }

    pub(super) fn answer(&self, answer: T) {
        self.settle(Ok(answer));
    }

    fn settle(&self, answer: Result<T, Broken>) {
        let mut state = self.state();
        let State::Open(waker) = &mut *state else { return };
        let waker = waker.take();
        *state = State::Answered(answer);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for the answer.
    ///
    /// # Cancel safety
    /// The answer stays where it is.
    pub(super) async fn wait(&self) -> Result<T, Broken> {
        poll_fn(|context| {
            let mut state = self.state();
            match &mut *state {
                State::Open(waker) => {
                    if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                        *waker = Some(context.waker().clone());
                    }
                    Poll::Pending
                }
                State::Answered(_) => match std::mem::replace(&mut *state, State::Taken) {
                    State::Answered(answer) => Poll::Ready(answer),
                    State::Open(_) | State::Taken => Poll::Pending,
                },
                State::Taken => Poll::Pending,
            }
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Whatever waits on a connection, told when that ends.
pub(super) trait Waits: Send + Sync {
    fn broken(&self);
}

impl<T: Send> Waits for Ticket<T> {
    fn broken(&self) {
        self.settle(Err(Broken));
    }
}

//! An answer that is waited for.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use lockproof_sim::Shared;

/// The connection ended before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The place where an answer will lie. The first answer stays.
pub(super) struct Ticket<T>(RefCell<State<T>>);

enum State<T> {
    Open(Option<Waker>),
    Answered(Result<T, Broken>),
    Taken,
}

impl<T> Ticket<T> {
    pub(super) fn new() -> Shared<Self> {
        Shared::new(Self(RefCell::new(State::Open(None))))
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

    fn state(&self) -> RefMut<'_, State<T>> {
        self.0.borrow_mut()
    }
}

/// The answer, once it is there.
///
/// # Cancel safety
/// The answer stays where it is.
pub(super) struct Answered<T>(Shared<Ticket<T>>);

impl<T> Future for Answered<T> {
    type Output = Result<T, Broken>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state();
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
    }
}

/// Waits for the answer.
pub(super) const fn answered<T>(ticket: Shared<Ticket<T>>) -> Answered<T> {
    Answered(ticket)
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Whatever waits on a connection, told when that ends.
pub(super) trait Waits {
    fn broken(&self);
}

impl<T> Waits for Ticket<T> {
    fn broken(&self) {
        self.settle(Err(Broken));
    }
}

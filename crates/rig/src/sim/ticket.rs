//! An answer that is waited for.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use lockproof_sim::Shared;

/// The connection ended before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The place where an answer will lie. The first answer stays.
pub(super) struct Ticket<T> {
    answer: Cell<Option<Result<T, Broken>>>,
    /// Whether it was settled, though the answer be taken.
    is_settled: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl<T> Ticket<T> {
    pub(super) const fn new() -> Self {
        Self { answer: Cell::new(None), is_settled: Cell::new(false), waker: Cell::new(None) }
    }

    pub(super) fn answer(&self, answer: T) {
        self.settle(Ok(answer));
    }

    fn settle(&self, answer: Result<T, Broken>) {
        if !self.is_settled.replace(true) {
            self.answer.set(Some(answer));
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Result<T, Broken>> {
        if self.is_settled.get() {
            // Taken twice, it never comes.
            return self.answer.take().map_or(Poll::Pending, Poll::Ready);
        }
        let known = self.waker.take().filter(|waker| waker.will_wake(context.waker()));
        self.waker.set(Some(known.unwrap_or_else(|| context.waker().clone())));
        Poll::Pending
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("is_settled", &self.is_settled).finish_non_exhaustive()
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

/// What an answer is waited for with.
pub(super) trait Answerable {
    type Answer;

    fn ticket(&self) -> &Ticket<Self::Answer>;
}

impl<T> Answerable for Ticket<T> {
    type Answer = T;

    fn ticket(&self) -> &Self {
        self
    }
}

/// The answer, once it is there.
///
/// # Cancel safety
/// The answer stays where it is.
pub(super) struct Answered<A>(pub(super) Shared<A>);

impl<A: Answerable> Future for Answered<A> {
    type Output = Result<A::Answer, Broken>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.ticket().poll(context)
    }
}

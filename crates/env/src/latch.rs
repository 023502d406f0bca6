//! Something that happens once, for everybody who waits.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Raised once; whoever waits goes on, in the order in which they came.
///
/// The order is why this is not a library's: theirs draw at random whom to wake first, and a simulated run has to be
/// the same twice.
#[derive(Clone, Default)]
pub struct Latch(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    raised: bool,
    waiting: Vec<Waker>,
}

impl Latch {
    /// One that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it, for good.
    pub fn raise(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.raised = true;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether it was raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).raised
    }

    /// Completes once it is raised.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn raised(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.raised {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latch").field("raised", &self.is_raised()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_latch_opens_for_those_who_wait_and_for_those_who_come_later() {
        let latch = Latch::new();
        let mut early = Box::pin(latch.raised());
        assert!((&mut early).now_or_never().is_none());
        latch.raise();
        assert!((&mut early).now_or_never().is_some());
        assert!(latch.raised().now_or_never().is_some());
    }
}

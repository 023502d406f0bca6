//! A spawned future, awaited or left alone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::AbortHandle;
use futures_util::future::abortable;
use tokio::sync::oneshot;

/// What [`Env::spawn`](crate::Env::spawn) gives: awaits the future's output. Dropping it lets the future
/// go on by itself.
#[derive(Debug)]
pub struct Task<T> {
    answer: oneshot::Receiver<T>,
    abort: AbortHandle,
}

impl<T> Task<T> {
    /// A handle that outlives the task's own, to [abort](Self::abort) it with.
    #[must_use]
    pub fn aborter(&self) -> AbortHandle {
        self.abort.clone()
    }

    /// Drops the future at its next await. What it had sent stays sent.
    pub fn abort(&self) {
        self.abort.abort();
    }
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn of<F>(future: F) -> (Self, impl Future<Output = ()> + Send)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let (body, abort) = abortable(future);
        let body = body.map(move |output| {
            if let Ok(output) = output {
                // Nobody waiting for the answer is the ordinary case of a detached clean-up.
                drop(sender.send(output));
            }
        });
        (Self { answer, abort }, body)
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map_err(|_| Stopped)
    }
}

/// The task was aborted, panicked, or the run ended before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was stopped before its answer")
    }
}

impl std::error::Error for Stopped {}

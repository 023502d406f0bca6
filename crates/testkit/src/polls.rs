//! Dropping a future in the middle.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;

/// Polls `future` whenever it asks to be, `polls` times at most; `None` when it was not done by then and was dropped.
///
/// Calling this with 1, 2, … until it gives `Some` drops the future at each of its await points in turn.
pub async fn poll_at_most<F: Future>(future: F, polls: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls `future` once, so that it sends what it has to send, and drops it when `sent` is over; `None` unless that one
/// poll completed it.
///
/// A library may keep a request back when its future is dropped before a byte has left. This drops it later.
pub async fn drop_after<F: Future>(future: F, sent: impl Future<Output = ()>) -> Option<F::Output> {
    let mut future = pin!(future);
    let first = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    });
    let first = first.await;
    if first.is_none() {
        sent.await;
    }
    first
}

/// Polls `future` whenever it asks to be, until `taken` says so, and drops it then; `None` unless it completed before.
///
/// For what takes several requests, each sent when the answer to the one before was read: when the last answer has come,
/// what it answers was done, and the future that would read it is dropped.
pub async fn drop_once<F: Future, T: Future<Output = bool>>(
    future: F,
    taken: impl Fn() -> T,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(Notify::new()));
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        woken.0.notified().await;
        if taken().await {
            return None;
        }
    }
}

struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

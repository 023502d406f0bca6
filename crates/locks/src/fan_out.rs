//! Asking several servers at once and going on as soon as enough have answered.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use futures_util::Stream;
use futures_util::stream::FuturesUnordered;

/// Sends every request, then collects answers until `enough` of them says so or all are in.
///
/// Every request is polled, and so sent, before the first answer is looked at: a release that returned at its
/// quorum without having been sent to the rest would leave orphans there.
///
/// # Cancel safety
/// Requests that have not been answered are dropped; what was sent stays sent.
pub(crate) async fn fan_out<F: Future>(
    requests: impl IntoIterator<Item = F>,
    mut enough: impl FnMut(&[F::Output]) -> bool,
) -> Vec<F::Output> {
    let mut requests: FuturesUnordered<F> = requests.into_iter().collect();
    let mut answers = Vec::with_capacity(requests.len());
    poll_fn(move |context| {
        loop {
            match Pin::new(&mut requests).poll_next(context) {
                Poll::Ready(Some(answer)) => answers.push(answer),
                Poll::Ready(None) => return Poll::Ready(std::mem::take(&mut answers)),
                Poll::Pending if enough(&answers) => {
                    return Poll::Ready(std::mem::take(&mut answers));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn every_request_is_sent_even_when_the_first_answers_at_once() {
        let sent = AtomicU32::new(0);
        let requests = (0..5).map(|n| {
            let sent = &sent;
            async move {
                sent.fetch_add(1, Ordering::Relaxed);
                if n > 2 { pending().await } else { n }
            }
        });
        let answers = fan_out(requests, |answers| answers.len() >= 3).now_or_never().unwrap();
        assert_eq!(answers.len(), 3);
        assert_eq!(sent.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn all_answers_are_collected_when_there_are_never_enough() {
        let answers = fan_out([ready(1), ready(2)], |_| false).now_or_never().unwrap();
        assert_eq!(answers, [1, 2]);
    }
}

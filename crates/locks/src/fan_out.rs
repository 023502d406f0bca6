//! Asking several servers at once and going on as soon as enough have answered.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

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
    // Whichever was woken, all that wait are polled: a quorum is a handful, for which that is cheaper than to keep
    // count of who was woken.
    let mut waiting: Vec<Pin<Box<F>>> = requests.into_iter().map(Box::pin).collect();
    let mut answers = Vec::with_capacity(waiting.len());
    poll_fn(move |context| {
        waiting.retain_mut(|request| match request.as_mut().poll(context) {
            Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            Poll::Pending => true,
        });
        if waiting.is_empty() || enough(&answers) {
            return Poll::Ready(std::mem::take(&mut answers));
        }
        Poll::Pending
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

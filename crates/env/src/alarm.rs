//! A time limit that costs no timer of its own.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Instant;

use crate::{Elapsed, Env};

/// Bounds one request after the other, for whoever makes many.
///
/// Arming a timer for every request costs as much as a good part of the request. This one stays armed from request
/// to request; when it rings for one that was answered long ago, it is set for the one that waits now.
pub struct Alarm {
    env: Env,
    /// When it rings next, and the timer that will tell.
    armed: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Alarm {
    /// One on `env`'s clock.
    #[must_use]
    pub const fn new(env: Env) -> Self {
        Self { env, armed: None }
    }

    /// Runs `future` for at most `limit`. It is taken pinned, since a future that is handed from function to function
    /// is copied, and takes up its room once in each.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first. What the future had sent is on its way all the same, so its outcome is
    /// unknown.
    ///
    /// # Cancel safety
    /// That of `future`.
    pub async fn limit<F: Future>(
        &mut self,
        limit: Duration,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output, Elapsed> {
        let deadline = self.env.now() + limit;
        // Set for something later than this request can wait for.
        self.armed.take_if(|(rings, _)| *rings > deadline);
        poll_fn(move |context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            loop {
                let (_, timer) = self.armed.get_or_insert_with(|| {
                    let env = self.env.clone();
                    (deadline, async move { env.sleep_until(deadline).await }.boxed())
                });
                if timer.poll_unpin(context).is_pending() {
                    return Poll::Pending;
                }
                self.armed = None;
                if self.env.now() >= deadline {
                    return Poll::Ready(Err(Elapsed { limit }));
                }
            }
        })
        .await
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("armed", &self.armed.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn every_request_has_its_full_limit_though_the_timer_is_shared() {
        let env = crate::live::env(1);
        let mut alarm = Alarm::new(env.clone());
        // Answered after 0.9 s: leaves a timer that would ring 0.1 s into the next.
        assert_eq!(alarm.limit(LIMIT, pin!(env.sleep(LIMIT * 9 / 10))).await, Ok(()));
        let began = env.now();
        assert_eq!(alarm.limit(LIMIT, pin!(pending::<()>())).await, Err(Elapsed { limit: LIMIT }));
        assert!(env.now().saturating_since(began) >= LIMIT);
        // A shorter limit than the one that the timer was set for.
        assert_eq!(alarm.limit(LIMIT * 60, pin!(env.sleep(LIMIT / 10))).await, Ok(()));
        let began = env.now();
        assert_eq!(alarm.limit(LIMIT, pin!(pending::<()>())).await, Err(Elapsed { limit: LIMIT }));
        assert!(
            env.now().saturating_since(began) < LIMIT * 2,
            "it waited for the older, longer limit"
        );
    }
}

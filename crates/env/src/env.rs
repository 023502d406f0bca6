//! The handle.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use lockproof_model::Instant;

use crate::{Group, Random, Task};

/// What a world provides under an [`Env`].
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Now, on the run's monotonic clock.
    fn now(&self) -> Instant;

    /// Completes once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `future` beside everything else until it ends or the run does.
    fn spawn(&self, future: BoxFuture<'static, ()>);
}

/// Time, randomness and spawning of one holder (or of the run itself).
///
/// Cloning is cheap and shares all three; [`Env::fork`] gives another stream of randomness, and
/// [`Env::in_group`] another group to spawn into.
#[derive(Clone, Debug)]
pub struct Env {
    runtime: Arc<dyn Runtime>,
    random: Random,
    group: Group,
}

impl Env {
    /// A handle on `runtime` whose randomness comes from `seed`, spawning into a group of its own.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>, seed: u64) -> Self {
        Self { runtime, random: Random::new(seed), group: Group::new() }
    }

    /// The same world with a stream of randomness of its own, decided by this one's seed and `label`
    /// and by nothing that was drawn so far.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        Self { random: self.random.fork(label), ..self.clone() }
    }

    /// The same world, spawning into `group`.
    #[must_use]
    pub fn in_group(&self, group: &Group) -> Self {
        Self { group: group.clone(), ..self.clone() }
    }

    /// The group that [`Env::spawn`] spawns into.
    #[must_use]
    pub const fn group(&self) -> &Group {
        &self.group
    }

    /// Now, on the run's monotonic clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// The stream of randomness.
    #[must_use]
    pub const fn random(&self) -> &Random {
        &self.random
    }

    /// Waits for `duration`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the wait and nothing else.
    pub async fn sleep(&self, duration: Duration) {
        self.runtime.sleep(duration).await;
    }

    /// Waits until `deadline`; returns at once when it has passed.
    ///
    /// # Cancel safety
    /// Dropping the future drops the wait and nothing else.
    pub async fn sleep_until(&self, deadline: Instant) {
        let wait = deadline.saturating_since(self.now());
        if !wait.is_zero() {
            self.sleep(wait).await;
        }
    }

    /// Runs `future` for at most `limit`.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first. The future is dropped then; what it had sent is on its
    /// way all the same, so its outcome is unknown.
    ///
    /// # Cancel safety
    /// That of `future`.
    pub async fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        let mut future = pin!(future);
        // Most futures polled here complete at once or soon; a timer is not worth arming for the former.
        if let Some(output) = future.as_mut().now_or_never() {
            return Ok(output);
        }
        match select(future, self.runtime.sleep(limit)).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(((), _)) => Err(Elapsed { limit }),
        }
    }

    /// Runs `future` beside its caller, in this handle's group: paused when the group is.
    ///
    /// Dropping the [`Task`] does not stop it: a clean-up must survive the caller's cancellation.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, body) = Task::of(future);
        self.runtime.spawn(self.group.gate(body).boxed());
        task
    }
}

/// A time limit passed before the answer came, so nobody knows what came of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    /// The limit that passed.
    pub limit: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {:?}", self.limit)
    }
}

impl std::error::Error for Elapsed {}

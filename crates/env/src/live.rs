//! The live world: tokio's timers and the operating system's clock and entropy.
//!
//! The only place where ambient time and randomness are read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Instant;
use rand::TryRng;
use rand::rngs::SysRng;
use tokio::runtime::Handle;

use crate::{Env, Runtime};

/// An [`Env`] on the tokio runtime that calls this, its clock starting now.
///
/// # Panics
/// Outside a tokio runtime with timers.
#[must_use]
pub fn env(seed: u64) -> Env {
    let runtime = Tokio { epoch: tokio::time::Instant::now(), handle: Handle::current() };
    Env::new(Arc::new(runtime), seed)
}

/// Starts counting; each call of the answer says how much time has passed since.
pub fn stopwatch() -> impl Fn() -> Duration {
    let start = tokio::time::Instant::now();
    move || start.elapsed()
}

#[derive(Debug)]
struct Tokio {
    epoch: tokio::time::Instant,
    handle: Handle,
}

impl Runtime for Tokio {
    fn now(&self) -> Instant {
        Instant::ZERO + self.epoch.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is what Env is made of, live")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        drop(self.handle.spawn(future));
    }
}

/// 64 bits from the operating system: the seed of a run that was given none, and the salt that keeps
/// two runs of one seed on one server from sharing owner values.
///
/// # Panics
/// When the operating system has no entropy, which is a machine that nothing here can run on.
#[must_use]
pub fn entropy() -> u64 {
    SysRng.try_next_u64().expect("the operating system gives entropy")
}

/// Nanoseconds since the Unix epoch by the wall clock: for expiry in model servers and for the names
/// of report directories, never for intervals.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn wall_clock_ns() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |elapsed| u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_time_limit_leaves_a_quick_future_alone_and_ends_a_slow_one() {
        let env = env(1);
        assert_eq!(env.timeout(Duration::ZERO, async { 5 }).await, Ok(5));
        let limit = Duration::from_millis(1);
        let elapsed = env.timeout(limit, std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(elapsed.limit, limit);
    }

    #[tokio::test]
    async fn a_spawned_task_goes_on_when_its_handle_is_dropped() {
        let env = env(1);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        drop(env.spawn(async move { sender.send(3).unwrap() }));
        assert_eq!(receiver.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn an_aborted_task_answers_stopped() {
        let task = env(1).spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(task.await, Err(crate::Stopped));
    }
}

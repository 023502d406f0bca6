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
    let clock = Clock::Own(tokio::time::Instant::now());
    let runtime = Tokio { clock, handle: Handle::current() };
    Env::new(Arc::new(runtime), seed)
}

/// The zero of a clock that several processes of one machine read alike: a point of the kernel's monotonic clock.
///
/// tokio's instants (and the standard library's) cannot be handed to another process; this is how what two of them
/// saw is put on one axis, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(monotonic_ns())
    }

    /// The zero that another process calls by this number.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Its number, to be told to another process of this machine.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

/// An [`Env`] on the tokio runtime that calls this, its clock counting from `epoch`.
///
/// # Panics
/// Outside a tokio runtime with timers.
#[must_use]
pub fn env_since(epoch: Epoch, seed: u64) -> Env {
    let runtime = Tokio { clock: Clock::Shared(epoch), handle: Handle::current() };
    Env::new(Arc::new(runtime), seed)
}

/// Starts counting; each call of the answer says how much time has passed since.
pub fn stopwatch() -> impl Fn() -> Duration {
    let start = tokio::time::Instant::now();
    move || start.elapsed()
}

#[derive(Debug)]
struct Tokio {
    clock: Clock,
    handle: Handle,
}

#[derive(Debug)]
enum Clock {
    /// Since then; one that tests can steer.
    Own(tokio::time::Instant),
    Shared(Epoch),
}

impl Runtime for Tokio {
    fn now(&self) -> Instant {
        match &self.clock {
            Clock::Own(start) => Instant::ZERO + start.elapsed(),
            Clock::Shared(Epoch(zero)) => Instant::from_nanos(monotonic_ns().saturating_sub(*zero)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is what Env is made of, live")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        drop(self.handle.spawn(future));
    }
}

/// The kernel's monotonic clock, which the standard library's instants are read from too.
fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(nanos.unwrap_or(0))
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
    async fn two_clocks_of_one_epoch_show_the_same() {
        let epoch = Epoch::now();
        let told = Epoch::from_nanos(epoch.as_nanos());
        let (one, other) = (env_since(epoch, 1), env_since(told, 2));
        let read = [one.now(), other.now(), one.now(), other.now()];
        assert!(read.is_sorted(), "{read:?}");
        one.sleep(Duration::from_millis(2)).await;
        assert!(other.now() >= read[3] + Duration::from_millis(2));
    }

    #[tokio::test]
    async fn an_aborted_task_answers_stopped() {
        let task = env(1).spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(task.await, Err(crate::Stopped));
    }
}

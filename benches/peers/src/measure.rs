//! One sample: as many pairs as fit into a time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use lockproof_env::{Env, live};
use lockproof_model::Instant;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// One of those that take a lock and give it back at the same time.
pub(crate) trait Holder: Send + 'static {
    /// Takes its lock, which nobody else wants, and gives it back.
    fn pair(&mut self) -> impl Future<Output = ()> + Send;

    /// Time is not measured any more.
    fn sample_has_ended(&mut self) {}
}

/// What a sample came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) pairs_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Of this thread, where all contestants do all their work: whatever else the machine is busy with, it is not in it.
    pub(crate) cpu_us: f64,
}

/// Somebody whose samples are compared with other people's.
pub(crate) struct Contestant<'a> {
    pub(crate) name: String,
    sample: Box<dyn FnMut(Duration) -> Sample + 'a>,
}

impl<'a> Contestant<'a> {
    /// Holders that share a thread.
    pub(crate) fn of<H: Holder>(name: &str, runtime: &'a Runtime, holders: Vec<H>) -> Self {
        let mut holders = holders;
        let sample = move |length| {
            let (back, sample) = runtime.block_on(together(std::mem::take(&mut holders), length));
            holders = back;
            sample
        };
        Self { name: name.to_owned(), sample: Box::new(sample) }
    }

    /// One holder that blocks its thread.
    pub(crate) fn blocking(name: &str, runtime: &'a Runtime, mut pair: impl FnMut() + 'a) -> Self {
        let sample = move |length| {
            let _timers = runtime.enter();
            let mut watch = Watch::start(&live::env(0));
            while watch.elapsed() < length {
                pair();
                watch.lap();
            }
            watch.sample()
        };
        Self { name: name.to_owned(), sample: Box::new(sample) }
    }

    pub(crate) fn sample(&mut self, length: Duration) -> Sample {
        (self.sample)(length)
    }
}

impl fmt::Debug for Contestant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contestant").field("name", &self.name).finish_non_exhaustive()
    }
}

async fn together<H: Holder>(holders: Vec<H>, length: Duration) -> (Vec<H>, Sample) {
    let env = live::env(0);
    let mut whole = Watch::start(&env);
    let mut tasks = JoinSet::new();
    for mut holder in holders {
        let mut watch = Watch::start(&env);
        tasks.spawn(async move {
            while watch.elapsed() < length {
                holder.pair().await;
                watch.lap();
            }
            (holder, watch)
        });
    }
    let mut holders = Vec::new();
    for (mut holder, watch) in tasks.join_all().await {
        holder.sample_has_ended();
        holders.push(holder);
        whole.merge(watch);
    }
    (holders, whole.sample())
}

/// Measures laps at one clock read each.
struct Watch {
    env: Env,
    started: Instant,
    last: Instant,
    /// Nanoseconds, in order: a histogram for each holder would be too much memory to be walked through.
    laps: Vec<u32>,
    cpu_before: Duration,
}

impl Watch {
    fn start(env: &Env) -> Self {
        let now = env.now();
        Self { env: env.clone(), started: now, last: now, laps: Vec::new(), cpu_before: cpu_time() }
    }

    fn lap(&mut self) {
        let now = self.env.now();
        let lap = now.saturating_since(self.last).as_nanos();
        self.laps.push(u32::try_from(lap).unwrap_or(u32::MAX));
        self.last = now;
    }

    /// At the end of the last lap.
    fn elapsed(&self) -> Duration {
        self.last.saturating_since(self.started)
    }

    fn merge(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        self.laps.extend(other.laps);
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of pairs in a second")]
    fn sample(mut self) -> Sample {
        let cpu = cpu_time().saturating_sub(self.cpu_before);
        self.laps.sort_unstable();
        let at = |percent| f64::from(self.laps[self.laps.len() * percent / 100]) / 1000.0;
        Sample {
            pairs_per_second: self.laps.len() as f64 / self.elapsed().as_secs_f64(),
            p50_us: at(50),
            p99_us: at(99),
            cpu_us: cpu.as_secs_f64() * 1e6 / self.laps.len() as f64,
        }
    }
}

/// How long this thread has run.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

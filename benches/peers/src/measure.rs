//! One sample: as many pairs as fit into a time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use hdrhistogram::Histogram;
use lockproof_env::{Env, live};
use lockproof_model::Instant;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// One of those that take a lock and give it back at the same time.
pub(crate) trait Holder: Send + 'static {
    /// Takes its lock, which nobody else wants, and gives it back.
    fn pair(&mut self) -> impl Future<Output = ()> + Send;
}

/// What a sample came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) pairs_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
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
    for (holder, watch) in tasks.join_all().await {
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
    laps: Histogram<u64>,
}

impl Watch {
    fn start(env: &Env) -> Self {
        let now = env.now();
        Self { env: env.clone(), started: now, last: now, laps: histogram() }
    }

    fn lap(&mut self) {
        let now = self.env.now();
        let lap = now.saturating_since(self.last);
        record(&mut self.laps, lap);
        self.last = now;
    }

    /// At the end of the last lap.
    fn elapsed(&self) -> Duration {
        self.last.saturating_since(self.started)
    }

    fn merge(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        self.laps.add(other.laps).expect("they have the same bounds");
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and nanoseconds of a second")]
    fn sample(&self) -> Sample {
        let at = |quantile| self.laps.value_at_quantile(quantile) as f64 / 1000.0;
        Sample {
            pairs_per_second: self.laps.len() as f64 / self.elapsed().as_secs_f64(),
            p50_us: at(0.5),
            p99_us: at(0.99),
        }
    }
}

/// Up to a minute in nanoseconds, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds are valid")
}

pub(crate) fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
}

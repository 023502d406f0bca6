//! Latency distributions of a run, from its history.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use lockproof_model::{AttemptId, Effect, History, Instant, PercentilesUs, Step};

/// One hour, beyond which a sample is counted as an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

/// Histograms in nanoseconds, three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Each step that went well, from its invocation to its completion.
    pub steps: BTreeMap<Step, Histogram<u64>>,
    /// From asking for the lock to the answer of the check: what being alone costs, wherever the strategy waits for it.
    /// A lock waits in its acquire, `row-lock` in its check; only this compares them.
    pub entry: Histogram<u64>,
    /// Whole attempts from their intended start.
    pub response: Histogram<u64>,
    /// Whole attempts from their actual start.
    pub service: Histogram<u64>,
}

impl Latencies {
    /// All of them by the names under which a report keeps them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Histogram<u64>)> {
        let steps = self.steps.iter().map(|(step, samples)| (step.word(), samples));
        steps.chain([
            ("entry", &self.entry),
            ("response", &self.response),
            ("service", &self.service),
        ])
    }

    /// Those of `history`. Made after the run, so that recording costs the run two clock reads and a push.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut latencies = Self {
            steps: BTreeMap::new(),
            entry: histogram(),
            response: histogram(),
            service: histogram(),
        };
        let mut asked: BTreeMap<AttemptId, Instant> = BTreeMap::new();
        for operation in &history.operations {
            let (true, Some(completed)) = (operation.outcome.is_ok(), operation.completed) else {
                continue;
            };
            let duration = completed.saturating_since(operation.invoked);
            record(latencies.steps.entry(operation.step).or_insert_with(histogram), duration);
            match operation.step {
                Step::Acquire => {
                    asked.insert(operation.attempt, operation.invoked);
                }
                Step::Check => {
                    let entered = asked.remove(&operation.attempt);
                    let since = entered.map(|asked| completed.saturating_since(asked));
                    since.into_iter().for_each(|since| record(&mut latencies.entry, since));
                }
                _ => {}
            }
        }
        for attempt in &history.attempts {
            record(&mut latencies.response, attempt.finished.saturating_since(attempt.intended));
            record(&mut latencies.service, attempt.finished.saturating_since(attempt.started));
        }
        latencies
    }
}

/// The longest time between two acknowledged commits, from the first attempt's start on.
#[must_use]
pub fn longest_gap(history: &History) -> Duration {
    let Some(start) = history.attempts.iter().map(|attempt| attempt.started).min() else {
        return Duration::ZERO;
    };
    let committed = |operation: &&lockproof_model::Operation| {
        matches!(operation.outcome.effect(), Some(Effect::Committed { .. }))
    };
    let mut commits: Vec<_> =
        history.operations.iter().filter(committed).filter_map(|op| op.completed).collect();
    commits.sort_unstable();
    if commits.is_empty() {
        let end = history.attempts.iter().map(|attempt| attempt.finished).max().unwrap_or(start);
        return end.saturating_since(start);
    }
    let before = std::iter::once(start).chain(commits.iter().copied());
    before.zip(&commits).map(|(a, b)| b.saturating_since(a)).max().unwrap_or_default()
}

/// The most attempts that were meant to have started and had not, at any moment.
#[must_use]
pub fn largest_backlog(history: &History) -> u32 {
    // +1 when an attempt is due, −1 when it starts; at a tie the start comes first, for it is not late.
    let mut changes: Vec<(Instant, i64)> = history
        .attempts
        .iter()
        .filter(|attempt| attempt.started > attempt.intended)
        .flat_map(|attempt| [(attempt.intended, 1), (attempt.started, -1)])
        .collect();
    changes.sort_unstable();
    let (mut waiting, mut most) = (0, 0);
    for (_, change) in changes {
        waiting += change;
        most = most.max(waiting);
    }
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// The points of a distribution that tables show; `None` for an empty one.
#[must_use]
pub fn percentiles(histogram: &Histogram<u64>) -> Option<PercentilesUs> {
    if histogram.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits of an hour in ns fit an f64")]
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
    Some(PercentilesUs {
        count: histogram.len(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        max_us: at(1.0),
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).expect("constant bounds are valid")
}

fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    histogram.saturating_record(nanos.clamp(1, LONGEST_NS));
}

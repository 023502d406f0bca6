//! Counters and latencies, as JSON for people and as text for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::slot::Slot;

/// Upper bounds of the histogram's buckets, in microseconds.
const BOUNDS_US: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    acquired: AtomicU64,
    failed: AtomicU64,
    released: AtomicU64,
    expired: AtomicU64,
    /// By lock id, the locks that this process has given out and not seen the end of.
    held: Mutex<BTreeMap<String, (u64, Slot)>>,
    requests: Mutex<BTreeMap<Series, Histogram>>,
}

/// What requests are told apart by: method, route, status.
type Series = (String, String, u16);

#[derive(Debug, Default)]
struct Histogram {
    /// Not cumulative; the last is for all above the bounds.
    buckets: [u64; BOUNDS_US.len() + 1],
    count: u64,
    sum_us: u64,
}

/// The counters of locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockCounters {
    locks_acquired: u64,
    locks_failed: u64,
    locks_released: u64,
    locks_expired: u64,
    /// Acquired of attempted.
    #[schema(example = "97.02%")]
    success_rate: String,
    total_attempts: u64,
}

impl Metrics {
    pub(crate) fn acquired(&self, lock_id: &str, expires_at: u64, slot: &Slot) {
        self.acquired.fetch_add(1, Ordering::Relaxed);
        self.held().insert(lock_id.to_owned(), (expires_at, slot.clone()));
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refreshed(&self, lock_id: &str, expires_at: u64) {
        if let Some((expires, _)) = self.held().get_mut(lock_id) {
            *expires = expires_at;
        }
    }

    pub(crate) fn released(&self, lock_id: &str) {
        self.released.fetch_add(1, Ordering::Relaxed);
        self.held().remove(lock_id);
    }

    /// The slots of locks that have ended by `now` without being given back.
    pub(crate) fn take_expired(&self, now: u64) -> Vec<Slot> {
        let mut ended = Vec::new();
        self.held().retain(|_, (expires, slot)| {
            let stands = *expires > now;
            if !stands {
                ended.push(slot.clone());
            }
            stands
        });
        self.expired.fetch_add(ended.len() as u64, Ordering::Relaxed);
        ended
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
    pub(crate) fn counters(&self) -> LockCounters {
        let [acquired, failed, released, expired] =
            [&self.acquired, &self.failed, &self.released, &self.expired]
                .map(|counter| counter.load(Ordering::Relaxed));
        let attempts = acquired + failed;
        let rate = if attempts == 0 { 100.0 } else { acquired as f64 * 100.0 / attempts as f64 };
        LockCounters {
            locks_acquired: acquired,
            locks_failed: failed,
            locks_released: released,
            locks_expired: expired,
            success_rate: format!("{rate:.2}%"),
            total_attempts: attempts,
        }
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < took);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let series = (method.to_owned(), route.to_owned(), status);
        let histogram = requests.entry(series).or_default();
        histogram.buckets[bucket] += 1;
        histogram.count += 1;
        histogram.sum_us = histogram.sum_us.saturating_add(took);
    }

    /// In the text format of Prometheus.
    pub(crate) fn prometheus(&self, rows_lost: u64) -> String {
        let counters = self.counters();
        let mut text = String::new();
        for (name, help, value) in [
            ("locks_acquired_total", "Locks that were granted.", counters.locks_acquired),
            ("locks_failed_total", "Attempts that found the lock held.", counters.locks_failed),
            ("locks_released_total", "Locks that were given back.", counters.locks_released),
            ("locks_expired_total", "Locks that ended by their TTL.", counters.locks_expired),
            ("reservation_log_lost_total", "Rows of the log that were not written.", rows_lost),
        ] {
            write(&mut text, format_args!("# HELP lockproof_{name} {help}\n"));
            write(&mut text, format_args!("# TYPE lockproof_{name} counter\n"));
            write(&mut text, format_args!("lockproof_{name} {value}\n"));
        }
        const NAME: &str = "lockproof_http_request_duration_seconds";
        write(&mut text, format_args!("# HELP {NAME} From a request's header to its answer.\n"));
        write(&mut text, format_args!("# TYPE {NAME} histogram\n"));
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, route, status), histogram) in requests.iter() {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let mut below = 0;
            for (bound, count) in BOUNDS_US.iter().zip(&histogram.buckets) {
                below += count;
                let bound = seconds(*bound);
                write(
                    &mut text,
                    format_args!("{NAME}_bucket{{{labels},le=\"{bound}\"}} {below}\n"),
                );
            }
            let Histogram { count, sum_us, .. } = histogram;
            write(&mut text, format_args!("{NAME}_bucket{{{labels},le=\"+Inf\"}} {count}\n"));
            write(&mut text, format_args!("{NAME}_sum{{{labels}}} {}\n", seconds(*sum_us)));
            write(&mut text, format_args!("{NAME}_count{{{labels}}} {count}\n"));
        }
        text
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Slot)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a text takes what is written");
}

#[expect(clippy::cast_precision_loss, reason = "seconds for a graph")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_every_bucket_from_its_own_on() {
        let metrics = Metrics::default();
        metrics.answered("POST", "/x", 200, Duration::from_micros(600));
        let text = metrics.prometheus(0);
        assert!(text.contains("status=\"200\",le=\"0.0005\"} 0\n"), "{text}");
        assert!(text.contains("status=\"200\",le=\"0.001\"} 1\n"), "{text}");
        assert!(text.contains("le=\"+Inf\"} 1\n") && text.contains("_sum"), "{text}");
    }
}

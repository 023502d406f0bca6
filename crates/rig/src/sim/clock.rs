//! A server's own idea of the time.

use lockproof_model::Instant;
use lockproof_redis_model::WallClock;

/// Where every server's wall clock stands when a run begins: 1 January 2026, UTC.
const BEGIN: u64 = 1_767_225_600_000_000_000;

/// A wall clock: it stood at `wall` when the run's time was `since`, and runs at `rate`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    since: Instant,
    wall: u64,
    pub(super) rate: f64,
}

impl Clock {
    /// A right one, at the begin of a run.
    pub(super) const fn new() -> Self {
        Self { since: Instant::ZERO, wall: BEGIN, rate: 1.0 }
    }

    pub(super) fn at(self, now: Instant) -> WallClock {
        let passed = now.saturating_since(self.since);
        // Multiplied only where it must be: a right clock is exact.
        let passed = if self.rate.to_bits() == 1.0_f64.to_bits() {
            passed
        } else {
            passed.mul_f64(self.rate)
        };
        WallClock::from_unix_nanos(self.wall).after(passed)
    }

    /// The clock from `now` on, moved and at another rate.
    pub(super) fn set(&mut self, now: Instant, by_ms: i64, rate: f64) {
        let moved =
            self.at(now).unix_nanos().saturating_add_signed(by_ms.saturating_mul(1_000_000));
        *self = Self { since: now, wall: moved, rate };
    }
}

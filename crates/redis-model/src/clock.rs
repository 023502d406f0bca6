//! The server's own wall clock, as a value that the caller hands in.

use std::time::Duration;

/// A reading of a server's realtime clock, in nanoseconds since the Unix epoch.
///
/// It may jump in either direction between two commands: Redis counts TTLs on the wall clock, and a
/// lock that trusts a TTL trusts this clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WallClock(u64);

impl WallClock {
    /// The reading `nanos` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The reading `millis` milliseconds after the Unix epoch; saturates in the year 2554.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch: the resolution of Redis' expiry.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        i64::try_from(self.0 / 1_000_000).unwrap_or(i64::MAX)
    }

    /// Whole seconds since the Unix epoch, and the microseconds beyond them.
    #[must_use]
    pub const fn unix_seconds_and_micros(self) -> (u64, u64) {
        (self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1_000)
    }

    /// The reading after `passed`, on a clock that does not jump; saturates.
    #[must_use]
    pub fn after(self, passed: Duration) -> Self {
        let nanos = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// How much later this reading is than `earlier`; nothing when it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

//! One sample: as many schedules as fit into a time, or a number of them.

use std::fmt;
use std::time::Duration;

use lockproof_env::live::stopwatch;
use rustix::time::{ClockId, clock_gettime};

/// Bookings of each holder in one schedule.
pub(crate) const BOOKINGS: u32 = 5;

/// What a sample came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) schedules_per_second: f64,
    pub(crate) us_per_booking: f64,
    /// Of the whole program, where nobody else works meanwhile.
    pub(crate) cpu_us_per_booking: f64,
}

/// How much a sample is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// For so long, one schedule at least.
    Time(Duration),
    /// So many schedules: what a counter of instructions needs.
    Schedules(u64),
}

/// Somebody whose samples are compared with other people's.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    holders: u32,
    /// Makes schedules; says how many.
    schedules: Box<dyn FnMut(Length) -> u64>,
}

impl Sample {
    /// What one thread does in a second that it has for itself.
    pub(crate) fn schedules_per_cpu_second(&self) -> f64 {
        self.schedules_per_second * self.us_per_booking / self.cpu_us_per_booking
    }
}

impl Contestant {
    /// One that makes one schedule after the other; the number of a schedule is its seed.
    pub(crate) fn of(
        name: &'static str,
        holders: u32,
        mut schedule: impl FnMut(u64) + 'static,
    ) -> Self {
        let mut seed = 0;
        Self::in_bulk(name, holders, move |length| {
            let (first, elapsed) = (seed, stopwatch());
            let goes_on = |made| match length {
                Length::Time(time) => made == 0 || elapsed() < time,
                Length::Schedules(schedules) => made < schedules,
            };
            while goes_on(seed - first) {
                schedule(seed);
                seed += 1;
            }
            seed - first
        })
    }

    /// One that counts for itself.
    pub(crate) fn in_bulk(
        name: &'static str,
        holders: u32,
        schedules: impl FnMut(Length) -> u64 + 'static,
    ) -> Self {
        Self { name, holders, schedules: Box::new(schedules) }
    }

    /// Makes so many schedules, and reads no clock of the processor's, which a counter of instructions may not have.
    pub(crate) fn make(&mut self, schedules: u64) {
        (self.schedules)(Length::Schedules(schedules));
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of schedules in a second")]
    pub(crate) fn sample(&mut self, length: Duration) -> Sample {
        let (elapsed, cpu_before) = (stopwatch(), cpu_time());
        let schedules = (self.schedules)(Length::Time(length)) as f64;
        let (took, cpu) = (elapsed(), cpu_time().saturating_sub(cpu_before));
        let bookings = schedules * f64::from(self.holders * BOOKINGS);
        Sample {
            schedules_per_second: schedules / took.as_secs_f64(),
            us_per_booking: took.as_secs_f64() * 1e6 / bookings,
            cpu_us_per_booking: cpu.as_secs_f64() * 1e6 / bookings,
        }
    }
}

impl fmt::Debug for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contestant").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long all threads of this program have run.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

//! Which attempt comes next, on which slot, and when it is meant to start.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select;
use lockproof_env::{Env, Latch, Random};
use lockproof_model::{AttemptId, Instant, SlotId};

use crate::holder::Target;
use crate::load::{Load, Stop};

/// When attempts are meant to start.
#[derive(Clone, Debug, PartialEq)]
pub enum Pace {
    /// Closed loop: the next one starts when a holder is free for it, so its intended start is its actual one.
    Closed,
    /// Open loop: attempts arrive at a rate whether or not anybody is free, as customers do. What starts late has
    /// waited, and its response time says so.
    Open {
        /// How they are spaced.
        spacing: Spacing,
        /// The rates, one after the other; the last one stays.
        ramp: Vec<Rate>,
    },
}

impl Pace {
    /// The highest rate at which attempts arrive; none in a closed loop.
    #[must_use]
    pub fn offered_per_s(&self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Open { ramp, .. } => ramp.iter().map(|rate| rate.per_s).reduce(f64::max),
        }
    }
}

/// How the arrivals of an open loop are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Evenly.
    Constant,
    /// Independently of each other: exponential gaps.
    Poisson,
}

/// A rate for a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Arrivals per second, above zero.
    pub per_s: f64,
    /// For how long; the last rate of a ramp stays whatever it says.
    pub length: Duration,
}

/// Hands out attempts in order. Consecutive ones share a slot, so that they contend.
#[derive(Debug)]
pub(crate) struct Arrivals {
    stop: Stop,
    pace: Pace,
    slots: u32,
    /// Consecutive attempts that share a slot.
    contenders: u32,
    random: Random,
    next: Mutex<Next>,
    /// Raised when the last attempt was handed out.
    over: Latch,
}

#[derive(Debug, Default)]
struct Next {
    attempt: u32,
    /// Of an open loop: when the next attempt is meant to start, since the load began.
    due: Duration,
}

impl Arrivals {
    pub(crate) fn new(load: &Load, random: Random) -> Self {
        let slots = load.slots.max(1);
        let contenders = match load.stop {
            Stop::After(attempts) => attempts.div_ceil(slots).max(1),
            // No end is known, so a slot is given up once every holder has had its try.
            Stop::AtTime(_) => load.holders.max(1),
        };
        let (stop, pace) = (load.stop, load.pace.clone());
        let over = Latch::new();
        Self { stop, pace, slots, contenders, random, next: Mutex::default(), over }
    }

    /// The next attempt and when it is meant to start, unless the load has ended. It may be meant for later than
    /// `now`; whoever takes it waits until then.
    pub(crate) fn next(&self, begun: Instant, now: Instant) -> Option<(Target, Instant)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let intended = match &self.pace {
            Pace::Closed => now,
            Pace::Open { .. } => begun + next.due,
        };
        if self.has_ended(next.attempt, intended.saturating_since(begun)) {
            self.over.raise();
            return None;
        }
        if let Pace::Open { spacing, ramp } = &self.pace {
            let per_s = rate_at(ramp, next.due);
            next.due += self.gap(*spacing, per_s);
        }
        let slot = (next.attempt / self.contenders) % self.slots + 1;
        next.attempt += 1;
        // Known with the last one and not only after it: whoever takes that may die and never ask again.
        let due = match &self.pace {
            Pace::Closed => now.saturating_since(begun),
            Pace::Open { .. } => next.due,
        };
        if self.has_ended(next.attempt, due) {
            self.over.raise();
        }
        Some((Target { attempt: AttemptId(next.attempt), slot: SlotId(slot) }, intended))
    }

    fn has_ended(&self, attempts: u32, due: Duration) -> bool {
        match self.stop {
            Stop::After(all) => attempts >= all,
            Stop::AtTime(length) => due >= length,
        }
    }

    /// Completes once no attempt is left to be handed out.
    pub(crate) async fn over(&self, env: &Env, begun: Instant) {
        match (self.stop, &self.pace) {
            // Nobody has to ask for it to be over.
            (Stop::AtTime(length), Pace::Closed) => {
                let late = env.sleep_until(begun + length).boxed();
                select(self.over.raised().boxed(), late).await;
            }
            _ => self.over.raised().await,
        }
    }

    fn gap(&self, spacing: Spacing, per_s: f64) -> Duration {
        let mean = 1.0 / per_s;
        Duration::from_secs_f64(match spacing {
            Spacing::Constant => mean,
            // 1 − u is in (0, 1], whose logarithm is finite.
            Spacing::Poisson => -mean * (1.0 - self.random.unit()).ln(),
        })
    }
}

/// The rate in force at `since` the begin.
fn rate_at(ramp: &[Rate], since: Duration) -> f64 {
    let mut end = Duration::ZERO;
    for rate in ramp {
        end += rate.length;
        if since < end {
            return rate.per_s;
        }
    }
    ramp.last().map_or(1.0, |rate| rate.per_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ENTRIES, FlowSettings};

    fn arrivals(stop: Stop, slots: u32, holders: u32, pace: Pace) -> Arrivals {
        let flow = &ENTRIES[0];
        let load = Load { flow, holders, slots, stop, pace, settings: FlowSettings::default() };
        Arrivals::new(&load, Random::new(1))
    }

    fn rate(per_s: f64, seconds: u64) -> Rate {
        Rate { per_s, length: Duration::from_secs(seconds) }
    }

    #[test]
    fn consecutive_attempts_share_a_slot_and_every_slot_gets_its_share() {
        let arrivals = arrivals(Stop::After(6), 3, 2, Pace::Closed);
        let next = || arrivals.next(Instant::ZERO, Instant::ZERO).map(|(target, _)| target.slot.0);
        let slots: Vec<u32> = std::iter::from_fn(next).collect();
        assert_eq!(slots, [1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_timed_load_ends_by_time_alone() {
        let arrivals = arrivals(Stop::AtTime(Duration::from_secs(1)), 1, 4, Pace::Closed);
        let at = |millis| Instant::ZERO + Duration::from_millis(millis);
        assert!(arrivals.next(Instant::ZERO, at(999)).is_some());
        assert!(arrivals.next(Instant::ZERO, at(1000)).is_none());
    }

    #[test]
    fn an_open_loop_does_not_wait_for_anybody() {
        let pace = Pace::Open { spacing: Spacing::Constant, ramp: vec![rate(10.0, 0)] };
        let arrivals = arrivals(Stop::AtTime(Duration::from_secs(1)), 1, 4, pace);
        // Asked ever later, and always answered with the schedule.
        let late = |n| Instant::ZERO + Duration::from_secs(n);
        let intended: Vec<_> = (0..)
            .map_while(|n| arrivals.next(Instant::ZERO, late(n)))
            .map(|(_, intended)| intended.since_start().as_millis())
            .collect();
        assert_eq!(intended, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    }

    #[test]
    fn a_ramp_changes_its_rate_at_its_steps_and_keeps_the_last() {
        let ramp = [rate(10.0, 1), rate(100.0, 1)];
        assert!((rate_at(&ramp, Duration::from_millis(999)) - 10.0).abs() < f64::EPSILON);
        assert!((rate_at(&ramp, Duration::from_secs(1)) - 100.0).abs() < f64::EPSILON);
        assert!((rate_at(&ramp, Duration::from_secs(99)) - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn poisson_gaps_differ_and_keep_the_rate_on_average() {
        let pace = Pace::Open { spacing: Spacing::Poisson, ramp: vec![rate(1000.0, 0)] };
        let arrivals = arrivals(Stop::AtTime(Duration::from_secs(10)), 1, 4, pace);
        let next = || arrivals.next(Instant::ZERO, Instant::ZERO);
        let count = std::iter::from_fn(next).count();
        // Seeded, so this is no matter of luck: 10,000 expected, standard deviation 100.
        assert!((9_600..=10_400).contains(&count), "{count}");
    }
}

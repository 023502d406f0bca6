//! Which attempt comes next, on which slot.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use lockproof_model::{AttemptId, Instant, SlotId};

use crate::holder::Target;
use crate::load::Stop;

/// Hands out attempts in order. Consecutive ones share a slot, so that they contend.
///
/// Closed loop: the next attempt starts when a holder is free for it, so its intended start is its actual one.
#[derive(Debug)]
pub(crate) struct Arrivals {
    stop: Stop,
    slots: u32,
    /// Consecutive attempts that share a slot.
    contenders: u32,
    next: Mutex<u32>,
}

impl Arrivals {
    pub(crate) fn new(stop: Stop, slots: u32, holders: u32) -> Self {
        let contenders = match stop {
            Stop::After(attempts) => attempts.div_ceil(slots.max(1)).max(1),
            // No end is known, so a slot is given up once every holder has had its try.
            Stop::AtTime(_) => holders.max(1),
        };
        Self { stop, slots: slots.max(1), contenders, next: Mutex::new(0) }
    }

    /// The next attempt, unless the load has ended.
    pub(crate) fn next(&self, since_start: Duration, now: Instant) -> Option<(Target, Instant)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = match self.stop {
            Stop::After(attempts) => *next >= attempts,
            Stop::AtTime(length) => since_start >= length,
        };
        if ended {
            return None;
        }
        let slot = (*next / self.contenders) % self.slots + 1;
        *next += 1;
        Some((Target { attempt: AttemptId(*next), slot: SlotId(slot) }, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_attempts_share_a_slot_and_every_slot_gets_its_share() {
        let arrivals = Arrivals::new(Stop::After(6), 3, 2);
        let next = || arrivals.next(Duration::ZERO, Instant::ZERO).map(|(target, _)| target.slot.0);
        let slots: Vec<u32> = std::iter::from_fn(next).collect();
        assert_eq!(slots, [1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_timed_load_ends_by_time_alone() {
        let arrivals = Arrivals::new(Stop::AtTime(Duration::from_secs(1)), 1, 4);
        assert!(arrivals.next(Duration::from_millis(999), Instant::ZERO).is_some());
        assert!(arrivals.next(Duration::from_secs(1), Instant::ZERO).is_none());
    }
}

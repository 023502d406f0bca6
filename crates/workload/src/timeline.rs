//! What a load came to in each stretch of its time.

use std::time::Duration;

use lockproof_model::{AttemptResult, History, Instant, Stretch, Timeline};

/// More than this many stretches are narrower than what they are drawn with.
const STRETCHES_MAX: u32 = 40;

/// Widths that read well on an axis, in milliseconds; beyond them, whole minutes.
const WIDTHS_MS: &[u64] =
    &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000];

/// The attempts of `history` by the time at which they ended, from `started` on; `None` where there are none.
///
/// Latencies are those from the intended start: what a stalled server costs shows in the stretch where it ends, with
/// all that had to wait for it.
#[must_use]
pub fn timeline(history: &History, started: Instant) -> Option<Timeline> {
    let last = history.attempts.iter().map(|attempt| attempt.finished).max()?;
    let width = width(last.saturating_since(started));
    let place = |at: Instant| {
        let stretch = at.saturating_since(started).as_nanos() / width.as_nanos();
        usize::try_from(stretch).unwrap_or(usize::MAX)
    };
    let mut stretches = vec![Stretch::default(); place(last) + 1];
    let mut latencies: Vec<Vec<Duration>> = vec![Vec::new(); stretches.len()];
    for attempt in &history.attempts {
        let index = place(attempt.finished);
        stretches[index].finished += 1;
        let is_booked = matches!(attempt.result, AttemptResult::Booked { .. });
        stretches[index].booked += u32::from(is_booked);
        latencies[index].push(attempt.finished.saturating_since(attempt.intended));
    }
    for (stretch, mut latencies) in stretches.iter_mut().zip(latencies) {
        latencies.sort_unstable();
        stretch.p50_us = at_percent(&latencies, 50);
        stretch.p99_us = at_percent(&latencies, 99);
    }
    Some(Timeline { from: started, width, stretches })
}

fn width(total: Duration) -> Duration {
    let fits = |width: &Duration| total < *width * STRETCHES_MAX;
    let readable = WIDTHS_MS.iter().copied().map(Duration::from_millis).find(fits);
    readable.unwrap_or_else(|| {
        let minutes = total.as_secs() / (60 * u64::from(STRETCHES_MAX)) + 1;
        Duration::from_secs(60 * minutes)
    })
}

/// The nearest rank, in microseconds, of what is in order.
fn at_percent(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    let value = sorted.get(rank.checked_sub(1)?)?;
    Some(value.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use lockproof_model::{Attempt, AttemptId, BookingId, HolderId, Refusal, RefusedBy, SlotId};

    use super::*;

    fn attempt(id: u32, intended: u64, finished: u64, is_booked: bool) -> Attempt {
        let at = |millis| Instant::ZERO + Duration::from_millis(millis);
        Attempt {
            id: AttemptId(id),
            holder: HolderId(1),
            slot: SlotId(1),
            intended: at(intended),
            started: at(intended),
            finished: at(finished),
            result: if is_booked {
                AttemptResult::Booked { booking: BookingId(1) }
            } else {
                AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held }
            },
        }
    }

    fn of(attempts: Vec<Attempt>) -> Option<Timeline> {
        timeline(&History::assemble(Vec::new(), attempts), Instant::ZERO)
    }

    #[test]
    fn an_attempt_counts_where_it_ends() {
        let timeline = of(vec![
            attempt(0, 0, 3, true),
            attempt(1, 0, 4, false),
            // A stall: nothing ends for long, and what waited pays for all of it.
            attempt(2, 5, 105, true),
        ]);
        let Timeline { width, stretches, .. } = timeline.expect("there are attempts");
        assert_eq!((width, stretches.len()), (Duration::from_millis(5), 22));
        assert_eq!((stretches[0].finished, stretches[0].booked), (2, 1));
        assert_eq!((stretches[0].p50_us, stretches[0].p99_us), (Some(3e3), Some(4e3)));
        assert_eq!(stretches[10], Stretch::default());
        assert_eq!((stretches[21].p50_us, stretches[21].p99_us), (Some(1e5), Some(1e5)));
    }

    #[test]
    fn there_are_never_more_stretches_than_can_be_drawn() {
        for millis in [1, 39, 40, 41, 999, 2_399_999, 2_400_000, 90_000_000] {
            let stretches = of(vec![attempt(0, 0, millis, true)]).unwrap().stretches.len();
            assert!(stretches <= 40, "{stretches} in {millis} ms");
        }
        assert!(of(Vec::new()).is_none());
    }
}

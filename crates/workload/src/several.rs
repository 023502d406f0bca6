//! A booking of several slots: all of them or none.
//!
//! ```text
//!   acquire a, acquire b ─▶ begin ─▶ check a, check b ─▶ work ─▶ insert a, insert b ─▶ commit ─▶ release b, release a
//!              └─ held: release a, and the attempt ends
//! ```
//!
//! One lock and one row per slot, and one transaction for all. Steps that are of one slot bear its name in the history;
//! those that are of the whole bear the attempt's.

use lockproof_model::{AttemptResult, Lease, SlotId};

use crate::holder::{Holder, Target};

/// What becomes of the locks that were taken when the next one cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// They are given back.
    GivenBack,
    /// They are left to their TTL (failure mode F52).
    Kept,
}

/// Books `slots`, whose locks are taken in this order.
pub(crate) async fn book_all(
    holder: &mut Holder,
    target: Target,
    slots: Vec<SlotId>,
    part: Part,
) -> AttemptResult {
    let (held, missed) = acquire_all(holder, target, slots).await;
    let result = match missed {
        Some(missed) if part == Part::Kept => return missed,
        Some(missed) => missed,
        None => write(holder, target, &held).await.unwrap_or_else(|ended| ended),
    };
    for (of, lease) in held.into_iter().rev() {
        holder.release(of, lease).await;
    }
    result
}

type Held = Vec<(Target, Lease)>;

/// What was taken, and what the attempt came to where that is not all.
async fn acquire_all(
    holder: &mut Holder,
    target: Target,
    slots: Vec<SlotId>,
) -> (Held, Option<AttemptResult>) {
    let mut held = Vec::with_capacity(slots.len());
    for slot in slots {
        let of = Target { slot, ..target };
        match holder.acquire(of).await {
            Ok(lease) => held.push((of, lease)),
            Err(missed) => return (held, Some(missed)),
        }
    }
    (held, None)
}

/// Everything under the locks; either arm is what came of the attempt. Every check comes before the first insert, since
/// a guard may do its check in a transaction of its own.
async fn write(
    holder: &mut Holder,
    target: Target,
    held: &Held,
) -> Result<AttemptResult, AttemptResult> {
    for (number, (of, lease)) in held.iter().enumerate() {
        if number == 0 {
            holder.begin(*of, lease).await?;
        } else {
            holder.also(*of, lease);
        }
        holder.check(*of).await?;
    }
    holder.work(target).await;
    for (of, _) in held {
        holder.insert(*of).await?;
    }
    holder.commit(target).await
}

/// The segments of a booking: `count` slots next to each other, the same ones whichever of them it asked for.
pub(crate) fn segments(target: Target, count: u32) -> impl DoubleEndedIterator<Item = SlotId> {
    let count = count.max(1);
    let first = (target.slot.0 - 1) / count * count + 1;
    (first..first + count).map(SlotId)
}

/// The nights of a stay that ends with the night it asked for; the first stays of a season are shorter.
pub(crate) fn nights(target: Target, count: u32) -> impl DoubleEndedIterator<Item = SlotId> {
    let last = target.slot.0;
    (last.saturating_sub(count) + 1..=last).map(SlotId)
}

#[cfg(test)]
mod tests {
    use lockproof_model::AttemptId;

    use super::*;

    fn at(slot: u32) -> Target {
        Target { attempt: AttemptId(1), slot: SlotId(slot) }
    }

    #[test]
    fn bookings_of_neighbours_want_the_same_segments() {
        let of = |slot| segments(at(slot), 3).map(|slot| slot.0).collect::<Vec<_>>();
        assert_eq!((of(1), of(3), of(4)), (vec![1, 2, 3], vec![1, 2, 3], vec![4, 5, 6]));
    }

    #[test]
    fn stays_overlap_and_none_begins_before_the_season() {
        let of = |slot| nights(at(slot), 3).map(|slot| slot.0).collect::<Vec<_>>();
        assert_eq!((of(1), of(3), of(4)), (vec![1], vec![1, 2, 3], vec![2, 3, 4]));
    }
}

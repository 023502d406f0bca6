//! The boundary between what is survived and what is not, on a line of so many steps.
//!
//! A few values all over the line first, since an outcome that changes twice would mislead a bisection; then bisection
//! between the first two that differ; then a few values close to the boundary on either side. Where one of these
//! contradicts, the boundary moves there.

use std::collections::BTreeMap;

/// Parts into which the line is divided at first.
const PARTS: u64 = 8;
/// How far from the boundary it is looked again, in steps.
const BESIDE: [u64; 4] = [1, 2, 4, 8];

/// What was tried: whether each place, counted in steps, survives.
pub(super) type Tried = BTreeMap<u64, bool>;

/// Looks for the boundary on a line of `last` steps. `survives` is asked of each place at most once; it says nothing
/// where the search has to end.
pub(super) fn boundary(last: u64, mut survives: impl FnMut(u64) -> Option<bool>) -> Option<Tried> {
    let mut tried = Tried::new();
    let mut ask = |place: u64, tried: &mut Tried| -> Option<bool> {
        if let Some(known) = tried.get(&place) {
            return Some(*known);
        }
        let answer = survives(place)?;
        tried.insert(place, answer);
        Some(answer)
    };
    for part in 0..=PARTS {
        // In this order nothing overflows that did not before.
        ask(last / PARTS * part + last % PARTS * part / PARTS, &mut tried)?;
    }
    while let Some((before, after)) = first_change(&tried) {
        if after - before > 1 {
            ask(before + (after - before) / 2, &mut tried)?;
            continue;
        }
        let below = BESIDE.iter().filter_map(|steps| before.checked_sub(*steps));
        let above = BESIDE.iter().map(|steps| after.saturating_add(*steps));
        let beside = below.chain(above).filter(|place| *place <= last);
        let fresh: Vec<_> = beside.filter(|place| !tried.contains_key(place)).collect();
        if fresh.is_empty() {
            break;
        }
        for place in fresh {
            ask(place, &mut tried)?;
        }
    }
    Some(tried)
}

/// The first two neighbours that differ.
pub(super) fn first_change(tried: &Tried) -> Option<(u64, u64)> {
    let neighbours = tried.iter().zip(tried.iter().skip(1));
    let mut changes = neighbours.filter(|((_, a), (_, b))| a != b);
    changes.next().map(|((before, _), (after, _))| (*before, *after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(last: u64, survives: impl Fn(u64) -> bool) -> Tried {
        let mut asked = Vec::new();
        let tried = boundary(last, |place| {
            assert!(place <= last && !asked.contains(&place), "asked of {place} again");
            asked.push(place);
            Some(survives(place))
        });
        tried.unwrap()
    }

    proptest! {
        #[test]
        fn a_boundary_is_found_to_the_step_wherever_it_is(last in 1..5000_u64, at in 1..5000_u64, up: bool) {
            prop_assume!(at <= last);
            let tried = of(last, |place| (place < at) == up);
            prop_assert_eq!(first_change(&tried), Some((at - 1, at)));
            prop_assert!(tried.len() < 40);
        }
    }

    #[test]
    fn what_never_changes_is_looked_at_all_over() {
        let tried = of(2000, |_| true);
        assert_eq!((first_change(&tried), tried.len()), (None, 9));
        assert_eq!(of(0, |_| false).len(), 1);
    }

    #[test]
    fn a_second_change_is_seen_where_it_is_wide_and_where_it_is_close() {
        let wide = of(2000, |place| !(300..1200).contains(&place));
        assert_eq!(first_change(&wide), Some((299, 300)));
        assert_eq!(wide.get(&2000), Some(&true));
        let close = of(2000, |place| place < 300 || place == 302);
        assert_eq!((first_change(&close), close.get(&302)), (Some((299, 300)), Some(&true)));
        let below = of(2000, |place| place < 300 && place != 298);
        assert_eq!(first_change(&below), Some((297, 298)), "it survives up to before the first");
    }

    #[test]
    fn a_search_that_has_to_end_finds_nothing() {
        assert_eq!(boundary(2000, |place| (place < 1000).then_some(true)), None);
    }
}

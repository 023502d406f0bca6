//! Slots that are sold by ranges.

use lockproof_checkers::{duplicates, tell};
use lockproof_model::{Span, Verdict};

use crate::builder::{Finished, Run};

const CHECKER: &str = "duplicate-bookings";

/// Rows of slot 1, in the order in which they stood.
fn sold(capacity: u32, spans: &[(u32, u32)]) -> Finished {
    let mut run = Run::with_capacity(capacity);
    for (number, &(from, to)) in (0..).zip(spans) {
        let at = u64::from(number) * 10;
        run.attempt(number + 1, 1).insert(at, at + 1).row_of(Span { from, to });
    }
    run.finish()
}

fn excess(capacity: u32, spans: &[(u32, u32)]) -> u32 {
    duplicates(&sold(capacity, spans).judge(CHECKER))
}

#[test]
fn ranges_that_touch_are_no_duplicate() {
    let finding = sold(1, &[(10, 12), (12, 14), (8, 10)]).judge(CHECKER);
    assert_eq!(finding.verdict, Verdict::Valid);
}

#[test]
fn ranges_that_overlap_are_one_for_each_that_came_too_late() {
    assert_eq!(excess(1, &[(10, 12), (11, 13)]), 1);
    assert_eq!(excess(1, &[(10, 12), (12, 14), (11, 13)]), 1, "the third overlaps both");
    assert_eq!(excess(1, &[(11, 13), (10, 12), (12, 14)]), 2, "the first overlaps both");
    assert_eq!(excess(1, &[(10, 12), (0, 24), (10, 12)]), 2);
}

#[test]
fn the_capacity_holds_at_every_hour_and_not_over_the_day() {
    let day = [(8, 10), (10, 12), (12, 14), (8, 14)];
    assert_eq!(excess(2, &day), 0);
    assert_eq!(excess(2, &[&day[..], &[(9, 11)]].concat()), 1);
    // Two that overlap the third, and not each other.
    assert_eq!(excess(2, &[(8, 10), (12, 14), (9, 13)]), 0);
}

#[test]
fn the_story_leaves_out_who_does_not_overlap() {
    let run = sold(1, &[(20, 22), (10, 12), (11, 13)]);
    let finding = run.judge(CHECKER);
    let story = tell(&run.evidence(), &finding.anomalies[0]);
    assert_eq!(story.title, "slot 1 sold twice");
    assert!(story.lines.iter().all(|line| line.who != "holder 1"), "{story:#?}");
}

//! A holder that sleeps past its lease (F01), and the order that fencing at the write alone does not survive (F66).

use lockproof_checkers::kinds::{INSIDE_VALIDITY, OVERRUN};
use lockproof_model::{Status, Verdict};

use crate::support::{kinds, run, scenario};

/// The first holder to find the slot free stands still until another has committed.
fn until_another_commits(longest: &str) -> String {
    format!(
        r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
until-event = "another-commit"
for = "{longest}"
"#
    )
}

/// The first holder stands still before its write until a second has checked; the second then until the first has
/// committed. The stale write comes first.
fn stale_write_first(longest: &str) -> String {
    format!(
        r#"
[[fault]]
kind = "pause-holder"
at = "before-insert"
nth = 1
until-event = "another-check"
for = "20s"

[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 2
until-event = "another-commit"
for = "{longest}"
"#
    )
}

const TTL: &str = "200ms";

#[test]
fn a_lease_alone_sells_the_slot_twice_to_a_holder_that_overran() {
    let text = scenario("redis-set-nx", "duplicates", TTL, &until_another_commits("20s"));
    let report = run(&text);
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement);
    assert!(report.duplicates >= 1);
    let belief = kinds(&report, "mutual-exclusion");
    assert!(belief.contains(&OVERRUN), "{belief:?}");
    assert!(!belief.contains(&INSIDE_VALIDITY), "the lock itself was right: {belief:?}");
    assert!(report.injections.iter().all(|record| record.bit), "{:?}", report.injections);
    assert!(!report.stories.is_empty(), "a duplicate is told");
}

#[test]
fn a_majority_of_leases_alone_sells_the_slot_twice_as_well() {
    let text = scenario("redlock", "duplicates", TTL, &until_another_commits("20s"));
    let report = run(&text);
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement);
    let belief = kinds(&report, "mutual-exclusion");
    assert!(belief.contains(&OVERRUN) && !belief.contains(&INSIDE_VALIDITY), "{belief:?}");
}

#[test]
fn a_guard_on_the_write_refuses_the_holder_that_overran() {
    for guard in ["fencing", "version", "unique"] {
        let strategy = format!("redis-set-nx+{guard}");
        let text = scenario(&strategy, "no-duplicates", TTL, &until_another_commits("20s"));
        let report = run(&text);
        assert_eq!(report.judgement.status, Status::Met, "{strategy}: {:?}", report.judgement);
        assert_eq!((report.duplicates, report.bookings), (0, 1), "{strategy}");
        assert!(report.refused_by_guard >= 1, "{strategy}: the guard had nothing to refuse");
        assert_eq!(report.layers.belief, Verdict::Violated, "{strategy}: the holder did overrun");
    }
}

#[test]
fn a_row_lock_makes_the_others_wait_for_a_holder_that_stands_still() {
    let text = scenario("row-lock", "no-duplicates", TTL, &until_another_commits("300ms"));
    let report = run(&text);
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement);
    assert_eq!((report.duplicates, report.bookings), (0, 1));
}

#[test]
fn fencing_at_the_write_alone_lets_a_stale_write_through_that_comes_first() {
    let strategy = "redis-set-nx+fencing-write-only";
    let report = run(&scenario(strategy, "duplicates", TTL, &stale_write_first("20s")));
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement);
    assert!(report.duplicates >= 1);
}

#[test]
fn fencing_refuses_a_stale_write_that_comes_first() {
    let strategy = "redis-set-nx+fencing";
    let report = run(&scenario(strategy, "no-duplicates", TTL, &stale_write_first("300ms")));
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement);
    assert_eq!((report.duplicates, report.bookings), (0, 1));
    assert!(report.refused_by_guard >= 1, "the guard had nothing to refuse");
}

//! Bugs on purpose, that a run must find.

use lockproof_checkers::kinds::{INSIDE_VALIDITY, TOKEN_REPEATED};
use lockproof_model::{CellReport, Status, Verdict};
use lockproof_testkit::planted::{NO_EXCLUSION, REPEATED_TOKENS};

use crate::support::{kinds, run, run_planted, scenario};

const FIRST_WAITS_FOR_A_COMMIT: &str = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
until-event = "another-commit"
for = "20s"
"#;

#[test]
fn a_lock_that_excludes_nobody_is_caught_inside_the_validity_that_it_gave() {
    let text = scenario("redis-set-nx", "no-duplicates", "60s", FIRST_WAITS_FOR_A_COMMIT);
    let report = run_planted(&text, |scenario| scenario.cells[0].strategy.lock = &NO_EXCLUSION);
    assert_eq!(report.strategy, "no-exclusion");
    assert_eq!(report.judgement.status, Status::Failed, "{:?}", report.judgement);
    assert!(report.duplicates >= 1);
    assert!(kinds(&report, "mutual-exclusion").contains(&INSIDE_VALIDITY));
    let told = &report.judgement.reasons[0];
    assert!(told.contains("duplicate"), "{told}");
}

/// The server drops the first holder's lock, a second one takes it, and the first gives back what it no longer has.
/// There is room for all, so that every holder comes as far as its check.
fn release_of_what_another_has() -> String {
    let faults = r#"
[[fault]]
kind = "expire-lock"
at = "after-check"
nth = 1

[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
until-event = "another-check"
for = "20s"

[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 2
until-event = "another-check"
for = "400ms"
"#;
    scenario("redis-set-nx", "no-duplicates", "60s", faults)
        .replace("slots = 1", "slots = 1\ncapacity = 8")
}

fn granted_twice(report: &CellReport) -> usize {
    kinds(report, "mutual-exclusion").iter().filter(|kind| **kind == INSIDE_VALIDITY).count()
}

#[test]
fn a_release_without_a_comparison_lets_a_third_holder_in() {
    let text = release_of_what_another_has();
    let correct = run(&text);
    assert_eq!(granted_twice(&correct), 1, "the lock that the server dropped, and no other");
    let naive = run(&text.replace("redis-set-nx", "redis-naive-del"));
    assert!(granted_twice(&naive) >= 2, "{:?}", kinds(&naive, "mutual-exclusion"));
}

#[test]
fn a_token_that_is_drawn_twice_is_found_before_it_does_harm() {
    let room = scenario("redis-set-nx+fencing", "no-duplicates", "60s", "")
        .replace("slots = 1", "slots = 1\ncapacity = 8");
    let report = run_planted(&room, |scenario| scenario.cells[0].strategy.lock = &REPEATED_TOKENS);
    assert_eq!(report.layers.service, Verdict::Violated);
    assert!(kinds(&report, "fencing-monotonic").contains(&TOKEN_REPEATED));
    assert_eq!(report.duplicates, 0, "nobody was harmed this time");
    assert_eq!(report.judgement.status, Status::Met, "[expect] judges the table alone");
}

#[test]
fn a_token_that_is_drawn_twice_lets_a_stale_holder_through_the_fence() {
    let strategy = "redis-set-nx+fencing";
    let text = scenario(strategy, "no-duplicates", "200ms", FIRST_WAITS_FOR_A_COMMIT);
    let report = run_planted(&text, |scenario| scenario.cells[0].strategy.lock = &REPEATED_TOKENS);
    assert_eq!(report.judgement.status, Status::Failed, "{:?}", report.judgement);
    assert!(report.duplicates >= 1);
    assert!(kinds(&report, "fencing-monotonic").contains(&TOKEN_REPEATED));
}

#[test]
fn a_version_whose_row_count_nobody_reads_sells_the_slot_twice() {
    let text = scenario("version", "no-duplicates", "60s", FIRST_WAITS_FOR_A_COMMIT);
    let correct = run(&text);
    assert_eq!(correct.judgement.status, Status::Met, "{:?}", correct.judgement);
    let blind = run(&text.replace("\"version\"", "\"version-unchecked\""));
    assert_eq!(blind.strategy, "version-unchecked");
    assert_eq!(blind.judgement.status, Status::Failed, "{:?}", blind.judgement);
    assert!(blind.duplicates >= 1);
}

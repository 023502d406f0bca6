//! A trial of guards exists when it has rejected something.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lockproof_bookings::catalog;
use lockproof_testkit::conformance::guards::{Engine, find, trials};
use lockproof_testkit::planted::GUARDS;

const BOTH_LOOKED: &str = "two_who_both_looked_first_do_not_both_book";
const OLD_LOOK: &str = "an_old_look_is_not_written_upon";
const BESIDE: &str = "no_booking_slips_in_beside_those_that_were_counted";
const OVERLAP: &str = "spans_that_overlap_are_not_both_sold";

/// Guards of the catalog that must fail on a trial: the controls, and those that do not promise it.
const UNSAFE: &[(&str, &str)] = &[
    ("none", BOTH_LOOKED),
    ("fencing-write-only", BOTH_LOOKED),
    ("fencing-non-atomic", OLD_LOOK),
    ("version-unchecked", OLD_LOOK),
    ("row-lock-missing-row", BOTH_LOOKED),
    ("row-lock-missing-row", BESIDE),
    ("unique", OVERLAP),
];

fn rejections() -> impl Iterator<Item = (&'static catalog::Entry, &'static str)> {
    let known = UNSAFE.iter().map(|&(name, trial)| {
        (catalog::find(name).unwrap_or_else(|| panic!("no guard {name}")), trial)
    });
    known.chain(GUARDS.iter().map(|planted| (planted.entry, planted.rejected_by)))
}

/// On the model, where nobody is slow.
#[test]
fn every_unsafe_guard_is_rejected_by_the_trials_of_its_bug() {
    for (entry, name) in rejections() {
        let trial = find(name).unwrap_or_else(|| panic!("no trial {name}"));
        let passed = catch_unwind(AssertUnwindSafe(|| trial.conduct(entry, Engine::Model))).is_ok();
        assert!(!passed, "{name} accepts {}", entry.name);
    }
}

#[test]
fn every_trial_has_rejected_something_and_every_control_was_rejected() {
    for trial in trials() {
        assert!(rejections().any(|(_, name)| name == trial.name), "{}", trial.name);
    }
    for entry in catalog::ENTRIES.iter().filter(|entry| entry.control.is_some()) {
        assert!(rejections().any(|(rejected, _)| rejected.name == entry.name), "{}", entry.name);
        let refused = trials()[0].applies_to(entry, Engine::Model).unwrap_err();
        assert!(refused.contains("is a control"), "{refused}");
    }
}

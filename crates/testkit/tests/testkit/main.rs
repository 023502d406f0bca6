//! A suite exists when it has rejected something.

mod guards;

use std::panic::catch_unwind;
use std::time::Duration;

use lockproof_locks::Tokens;
use lockproof_rig::DatabaseEngine;
use lockproof_testkit::conformance::locks::find;
use lockproof_testkit::planted::LOCKS;
use lockproof_testkit::{Subject, database_is_here};

/// Some bugs show as a wait that never ends.
const GIVES_UP: Duration = Duration::from_secs(3);

#[test]
fn every_planted_lock_is_rejected_by_the_trials_of_its_bug() {
    for planted in LOCKS {
        let draw_tokens = planted.entry.tokens == Tokens::Drawn;
        let subject = Subject { entry: planted.entry, draw_tokens, adapter: None, database: None };
        for name in planted.rejected_by {
            let trial = find(name).unwrap_or_else(|| panic!("no trial {name}"));
            assert_eq!(trial.applies_to(&subject), Ok(()));
            let conduct = || trial.conduct_within(GIVES_UP, subject, "embedded");
            let passed = catch_unwind(conduct).is_ok();
            assert!(!passed, "{name} accepts {}", planted.entry.name);
        }
    }
}

#[test]
fn a_planted_lock_passes_the_trials_that_its_bug_does_not_touch() {
    for planted in LOCKS {
        let draw_tokens = planted.entry.tokens == Tokens::Drawn;
        let subject = Subject { entry: planted.entry, draw_tokens, adapter: None, database: None };
        find("a_released_lock_is_free_and_leaves_nothing").unwrap().conduct(subject, "embedded");
    }
}

/// The catalog's controls, and the trials that must fail on each; none where only a search meets its bug
/// (`lockproof-runner`'s tests of controls).
const CONTROLS: &[(&str, &[&str])] = &[
    (
        "redis-naive-del",
        &["only_the_owner_releases", "a_late_release_leaves_the_next_holder_alone"],
    ),
    ("redis-get-then-del", &[]),
    ("redis-setnx-expire", &[]),
    (
        "redis-no-withdraw",
        &[
            "a_withdrawn_claim_frees_the_lock",
            "a_dropped_acquire_that_is_withdrawn_leaves_nothing",
            "an_acquire_dropped_once_the_servers_took_it_leaves_nothing_once_withdrawn",
            "an_acquire_of_the_driver_dropped_once_the_servers_took_it_leaves_nothing_once_settled",
        ],
    ),
    (
        "redis-shared-owner",
        &["only_the_owner_releases", "a_late_release_leaves_the_next_holder_alone"],
    ),
    ("redis-ttl-in-seconds", &["a_grant_ends_by_itself_and_not_before_its_validity"]),
    (
        "redis-renew-by-set",
        &[
            "a_renewal_after_the_end_is_lost_and_resurrects_nothing",
            "a_renewal_does_not_take_the_lock_from_the_next_holder",
        ],
    ),
    ("redis-timestamp-steal", &[]),
    ("redlock-no-elapsed-check", &["a_quorum_that_comes_too_late_is_no_grant"]),
    ("redlock-no-cleanup", &["a_withdrawn_claim_frees_the_lock"]),
    ("redlock-release-on-failed-renew", &["a_renewal_that_failed_releases_nothing"]),
    ("lease-row-client-time", &["a_second_claim_is_held_while_the_first_stands"]),
    // Their trials are below: a file has no sessions.
    ("pg-advisory-pooled", &[]),
    ("pg-advisory-shared-session", &[]),
    ("pg-advisory-short-key", &[]),
];

#[test]
fn every_control_of_the_catalog_is_rejected_and_promises_nothing() {
    let controls = lockproof_locks::ENTRIES.iter().filter(|entry| entry.control.is_some());
    let names: Vec<_> = controls.clone().map(|entry| entry.name).collect();
    assert_eq!(names, CONTROLS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (entry, (_, trials)) in controls.zip(CONTROLS) {
        let subject = Subject { entry, draw_tokens: false, adapter: None, database: None };
        for name in *trials {
            let trial = find(name).unwrap_or_else(|| panic!("no trial {name}"));
            assert!(trial.applies_to(&subject).unwrap_err().contains("is a control"));
            let conduct = || trial.conduct_within(GIVES_UP, subject, "embedded");
            assert!(catch_unwind(conduct).is_err(), "{name} accepts {}", entry.name);
        }
    }
}

/// The controls of locks of a session, on a server that has such.
const CONTROLS_OF_SESSIONS: &[(&str, &str)] = &[
    ("pg-advisory-pooled", "a_released_lock_is_free_and_leaves_nothing"),
    ("pg-advisory-shared-session", "a_second_claim_is_held_while_the_first_stands"),
    ("pg-advisory-short-key", "names_that_differ_in_one_character_share_no_lock"),
];

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so aloud")]
fn every_control_of_sessions_is_rejected_by_a_server() {
    let engine = DatabaseEngine::Postgres;
    if let Err(why) = database_is_here(engine) {
        eprintln!("{why}");
        return;
    }
    for (lock, name) in CONTROLS_OF_SESSIONS {
        let entry = lockproof_locks::find(lock).unwrap_or_else(|| panic!("no lock {lock}"));
        let subject = Subject { entry, draw_tokens: false, adapter: None, database: Some(engine) };
        let trial = find(name).unwrap_or_else(|| panic!("no trial {name}"));
        let conduct = || trial.conduct_within(GIVES_UP, subject, "embedded");
        assert!(catch_unwind(conduct).is_err(), "{name} accepts {lock}");
    }
}

#[test]
fn no_two_trials_share_a_name() {
    let mut names: Vec<_> =
        lockproof_testkit::conformance::locks::trials().map(|trial| trial.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

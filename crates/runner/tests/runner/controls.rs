//! Locks that are unsafe on purpose: a search that does not find their bug is broken.

use lockproof_checkers::kinds::{IMMORTAL_LOCK, INSIDE_VALIDITY};
use lockproof_model::Layer;

use crate::hunt::Hunt;

/// Who is late between the comparison and the deletion deletes the next holder's lock.
///
/// Rarer than other controls' doings, since everybody is inside for a few exchanges alone.
#[test]
fn a_comparison_by_the_client() {
    let hunt = |strategy| {
        let hunt = Hunt::new(strategy, 6_000).after(Layer::Belief, &[INSIDE_VALIDITY]);
        hunt.planted(|scenario| scenario.load.slots = 1)
    };
    let control = hunt("redis-get-then-del");
    let caught =
        control.catches(|cause| cause.is_one_of(&["pause-holder", "latency", "partition"]));
    let honest = Hunt::new("redis-set-nx", 1).scenario.cells[0];
    let honest = control.within(&caught.shrunk, |scenario| scenario.cells = vec![honest]);
    assert_eq!(honest.breaks(), None);
}

/// Two that find one expired stamp delete in turn, the second what the first has just taken.
#[test]
fn a_lock_that_is_stolen_by_its_stamp() {
    let hunt = |strategy| {
        let hunt = Hunt::new(strategy, 2_000).after(Layer::Belief, &[INSIDE_VALIDITY]);
        hunt.planted(|scenario| scenario.load.slots = 1)
    };
    let control = hunt("redis-timestamp-steal");
    let late = ["kill-holder", "pause-holder", "latency", "partition", "slow-commit"];
    let caught = control.catches(|cause| cause.is_one_of(&late));
    let honest = Hunt::new("redis-set-nx", 1).scenario.cells[0];
    let honest = control.within(&caught.shrunk, |scenario| scenario.cells = vec![honest]);
    assert_eq!(honest.breaks(), None);
}

/// Who dies between the two commands leaves a lock that never ends, and so does a replica that has seen the first alone.
#[test]
fn an_expiry_in_a_command_of_its_own() {
    let hunt = |strategy| Hunt::new(strategy, 1_000).after(Layer::Liveness, &[IMMORTAL_LOCK]);
    let causes = ["kill-holder", "failover"];
    drop(hunt("redis-setnx-expire").catches(|cause| cause.is_one_of(&causes)));
    assert_eq!(hunt("redis-set-nx").breaks(), None);
}

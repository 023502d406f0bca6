//! Processes that are stopped.

use std::collections::BTreeSet;
use std::time::Duration;

use lockproof_model::Instant;

use crate::children::{Child, watched};
use crate::support::{run, scenario};

/// The number of the process that `observed` speaks of.
pub(crate) fn process_in(observed: &str) -> u32 {
    let after = observed.split_once("process ").expect("it names a process").1;
    let number = after.split_once(' ').expect("it says more").0;
    number.parse().unwrap_or_else(|_| panic!("no number: {observed}"))
}

fn in_state(seen: &BTreeSet<Child>, state: char) -> BTreeSet<u32> {
    seen.iter().filter(|child| child.state == state).map(|child| child.id).collect()
}

pub(crate) fn is_real() {
    let pause = r#"
[[fault]]
kind = "pause-holder"
at = "after-check"
nth = 1
until-event = "another-commit"
for = "20s"
"#;
    let (ran, seen) = watched(|| run(scenario("redis-set-nx", 3, 9, pause)));
    let [injection] = ran.report.injections.as_slice() else {
        panic!("one pause: {:?}", ran.report.injections);
    };
    assert!(injection.bit, "{injection:?}");
    for part in ["in state T (", " after SIGSTOP, in state ", " after SIGCONT"] {
        assert!(injection.observed.contains(part), "{injection:?}");
    }
    let process = process_in(&injection.observed);
    // Seen from outside as well: that one, and no other.
    assert_eq!(in_state(&seen, 'T'), BTreeSet::from([process]), "{injection:?}");
    // It went on: whoever was paused has finished what it was at.
    let paused = injection.holder.expect("it fired at a step");
    assert!(ran.history.attempts.iter().any(|attempt| attempt.holder == paused));
    assert!(ran.history.operations.iter().all(|operation| operation.completed.is_some()));
}

/// The instants at which `observed` says that something was seen, to the millisecond.
fn seen_at(observed: &str, after: &str) -> Vec<Instant> {
    let parts: Vec<_> = observed.split(after).collect();
    let (_, before) = parts.split_last().expect("there is always a last part");
    let seconds = before.iter().map(|text| text.rsplit(' ').next().unwrap_or_default());
    seconds
        .map(|text| {
            let seconds: f64 = text.parse().unwrap_or_else(|_| panic!("no instant: {observed}"));
            Instant::ZERO + Duration::from_secs_f64(seconds)
        })
        .collect()
}

/// The instant at which `observed` says that they were let go on, to the millisecond.
fn let_go_at(observed: &str) -> Instant {
    let after = observed.split_once(" after SIGCONT at ").expect("it says when").1;
    let word = after.split([',', ';', ' ']).next().unwrap_or_default();
    let seconds: f64 = word.parse().unwrap_or_else(|_| panic!("no instant: {observed}"));
    Instant::ZERO + Duration::from_secs_f64(seconds)
}

pub(crate) fn of_everybody() {
    // From the very begin, and in a load that works for far longer.
    let pause = r#"
[[fault]]
kind = "pause-holder"
from = "0ms"
until = "200ms"
"#;
    let mut scenario = scenario("none", 3, 60, pause);
    scenario.load.settings.work = Duration::from_millis(20);
    let (ran, seen) = watched(|| run(scenario));
    let [injection] = ran.report.injections.as_slice() else {
        panic!("one pause: {:?}", ran.report.injections);
    };
    assert!(injection.bit, "{injection:?}");
    let stopped = seen_at(&injection.observed, " after SIGSTOP");
    assert_eq!(stopped.len(), 3, "{injection:?}");
    assert_eq!(seen_at(&injection.observed, " after SIGCONT").len(), 3, "{injection:?}");
    assert_eq!(in_state(&seen, 'T').len(), 3, "{seen:?}");
    // From when the last of them was seen to stand still until they were let go on, none of them did a thing.
    let from = stopped.into_iter().max().expect("three") + Duration::from_millis(1);
    let until = let_go_at(&injection.observed);
    assert!(from < until, "{injection:?}");
    let stirs = |at: Instant| from < at && at < until;
    let stirring: Vec<_> = ran
        .history
        .operations
        .iter()
        .filter(|each| stirs(each.invoked) || each.completed.is_some_and(stirs))
        .collect();
    assert!(stirring.is_empty(), "{stirring:?} while {injection:?}");
    assert_eq!(ran.history.attempts.len(), 60, "and then they did the rest");
}

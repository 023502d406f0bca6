//! Nothing is left of a load.

use std::time::Duration;

use lockproof_model::{Outcome, Status};

use crate::children::{children, watched};
use crate::support::{PATIENCE, run, run_for, scenario};

pub(crate) fn of_a_cut() {
    // Everybody stands still at once, for longer than anybody waits.
    let pause = r#"
[[fault]]
kind = "pause-holder"
at = "before-begin"
every = 1
for = "1h"
"#;
    let limit = Duration::from_secs(2);
    let (ran, seen) = watched(|| run_for(limit, scenario("none", 3, 9, pause)));
    assert_eq!(ran.report.judgement.status, Status::Inconclusive);
    assert!(ran.report.judgement.reasons[0].contains("time limit"), "{:?}", ran.report.judgement);
    assert!(seen.iter().any(|child| child.state == 'T'), "nobody stood still: {seen:?}");
    assert_eq!(children(), []);
    // Each had acquired, and come no further.
    assert_eq!(ran.history.operations.len(), 3);
    assert!(ran.history.operations.iter().all(|each| matches!(each.outcome, Outcome::Ok(_))));
    assert_eq!(ran.history.attempts.len(), 3);
    assert!(ran.history.attempts.iter().all(|attempt| !attempt.result.is_death()));
    assert!(ran.report.injections.iter().all(|record| record.bit && record.healed.is_some()));
}

/// What this process has: threads, and open files of any kind.
fn belongings() -> (usize, usize) {
    let count = |folder: &str| std::fs::read_dir(folder).expect("the folder can be read").count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

pub(crate) fn of_many_loads() {
    let faults = r#"
[[fault]]
kind = "pause-holder"
at = "after-acquire"
every = 2
for = "1ms"

[[fault]]
kind = "kill-holder"
at = "before-insert"
every = 10
for = "1ms"
"#;
    // The first starts what a program starts once.
    drop(run(scenario("none", 4, 40, faults)));
    let before = belongings();
    let (mut pauses, mut deaths) = (0, 0);
    for _ in 0..10 {
        let ran = run(scenario("none", 4, 200, faults));
        assert_eq!(ran.report.judgement.status, Status::Met, "{:?}", ran.report.judgement);
        pauses += ran.report.faults[0].bit;
        deaths += ran.report.faults[1].bit;
    }
    assert!(pauses >= 900 && deaths >= 100, "{pauses} pauses, {deaths} deaths");
    assert_eq!(children(), []);
    // The thread that starts processes ends when nobody can ask it any more, which is a moment later: after the first
    // load as well, so that less than before is fine.
    let waited = lockproof_env::live::stopwatch();
    let more = |(threads, files): (usize, usize)| threads > before.0 || files > before.1;
    while more(belongings()) {
        assert!(waited() < PATIENCE, "{:?} was {before:?}", belongings());
        std::thread::yield_now();
    }
}

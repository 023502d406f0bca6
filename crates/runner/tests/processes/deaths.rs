//! Processes that die, by a fault and by themselves.

use lockproof_model::{AttemptResult, HolderId, Outcome, Reason, Status, Step};
use lockproof_rig::live::HolderProgram;
use rustix::process::Signal;

use crate::children::{children, watched};
use crate::pauses::process_in;
use crate::support::{run, run_with, scenario};

pub(crate) fn by_a_fault() {
    let kill = r#"
[[fault]]
kind = "kill-holder"
at = "answer-insert"
nth = 2
for = "20ms"
"#;
    let (ran, seen) = watched(|| run(scenario("redis-set-nx", 1, 6, kill)));
    let [injection] = ran.report.injections.as_slice() else {
        panic!("one death: {:?}", ran.report.injections);
    };
    assert!(injection.bit, "{injection:?}");
    assert!(injection.observed.starts_with("holder 1 died, started again after "), "{injection:?}");
    assert!(injection.observed.ends_with("signal: 9 (SIGKILL)"), "{injection:?}");
    let mut processes: Vec<_> = seen.iter().map(|child| child.id).collect();
    processes.dedup();
    assert_eq!(processes.len(), 2, "one died and one took its seat: {seen:?}");
    assert!(processes.contains(&process_in(&injection.observed)), "{injection:?}");

    let attempts = &ran.history.attempts;
    assert!(attempts.iter().all(|attempt| attempt.holder == HolderId(1)));
    let died: Vec<_> = attempts.iter().filter(|attempt| attempt.result.is_death()).collect();
    assert_eq!((attempts.len(), died.len()), (6, 1), "{attempts:?}");
    let of_it = ran.history.operations.iter().rfind(|each| each.attempt == died[0].id);
    let last = of_it.expect("it had begun");
    assert_eq!((last.step, last.completed), (Step::Insert, None));
    assert_eq!(last.outcome, Outcome::Info(Reason::Unanswered));
    let booked = |result: &AttemptResult| matches!(result, AttemptResult::Booked { .. });
    assert_eq!(attempts.iter().filter(|attempt| booked(&attempt.result)).count(), 5);
    assert_eq!(ran.report.bookings, 5, "its transaction went with it");
    assert_eq!(ran.report.judgement.status, Status::Met, "{:?}", ran.report.judgement);
}

/// Stands still once it holds the lock, so that the test has somebody to kill; the lock of this load keeps nobody out.
const FIRST_STANDS_STILL: &str = r#"
[[fault]]
kind = "pause-holder"
at = "after-acquire"
nth = 1
for = "1h"
"#;

pub(crate) fn by_itself() {
    for (signals, end) in [
        (&[Signal::KILL][..], "signal: 9 (SIGKILL)"),
        // It hears nothing else until it goes on.
        (&[Signal::ABORT, Signal::CONT], "signal: 6 (SIGABRT)"),
    ] {
        let ran = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(scenario("none", 3, 30, FIRST_STANDS_STILL)));
            let victim = loop {
                if let Some(stopped) = children().into_iter().find(|child| child.state == 'T') {
                    break stopped;
                }
                assert!(!running.is_finished(), "nobody stood still");
                std::thread::yield_now();
            };
            signals.iter().for_each(|&signal| victim.signal(signal));
            running.join().expect("the load ends")
        });
        let judgement = &ran.report.judgement;
        assert_eq!(judgement.status, Status::Inconclusive, "{judgement:?}");
        let told = judgement.reasons.join("; ");
        assert!(told.contains(" died by itself: ") && told.contains(end), "{told}");
        assert_eq!(ran.history.attempts.len(), 30, "the others went on");
        let died = ran.history.attempts.iter().filter(|attempt| attempt.result.is_death());
        assert_eq!(died.count(), 1);
        assert_eq!(children(), []);
    }
}

pub(crate) fn of_a_program_that_is_no_holder() {
    for (path, arguments, why) in [
        ("/bin/false", &[][..], ") died by itself: exit status: 1"),
        ("/bin/true", &[], "its process ended"),
        ("/bin/echo", &["running 1 test"], "what came is no message"),
        ("/nowhere", &[], ""),
    ] {
        let arguments = arguments.iter().map(|&word: &&str| word.to_owned()).collect();
        let program = HolderProgram { path: path.into(), arguments };
        let report = run_with(program, scenario("none", 2, 2, ""));
        assert_eq!(report.judgement.status, Status::Infrastructure, "{path}: {report:?}");
        let told = report.judgement.reasons.join("; ");
        assert!(told.contains(" cannot be a process of its own: "), "{path}: {told}");
        assert!(told.contains(why), "{path}: {told}");
    }
}

//! What a holder is makes no difference to what a strategy is worth.

use std::time::Duration;

use lockproof_model::{Effect, HolderId, Operation, Outcome, Status, Step, Verdict};
use lockproof_scenario::HoldersAs;

use crate::support::{Ran, run, run_as, scenario, shipped};

/// Runs a shipped scenario both ways.
pub(crate) fn agree(name: &str) {
    let scenario = shipped(name);
    let verdicts = |kind| {
        let ran = run_as(&scenario, kind, "embedded");
        let verdict = |Ran { report, .. }: Ran| {
            let judgement = report.judgement;
            assert_eq!(
                judgement.status,
                Status::Met,
                "{} as {kind:?}: {judgement:?}",
                report.strategy
            );
            (report.strategy, report.layers.effect, report.layers.service)
        };
        ran.into_iter().map(verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(HoldersAs::Processes), verdicts(HoldersAs::Tasks));
}

/// Runs a shipped scenario as it is, on servers of `provider`.
pub(crate) fn hold(name: &str, provider: &str) {
    let scenario = shipped(name);
    assert_eq!(scenario.holders_as, HoldersAs::Processes);
    for Ran { report, .. } in run_as(&scenario, HoldersAs::Processes, provider) {
        let judgement = &report.judgement;
        assert_eq!(judgement.status, Status::Met, "{}: {judgement:?}", report.strategy);
        assert!(report.injections.iter().all(|record| record.bit), "{:?}", report.injections);
    }
}

/// An operation without what is drawn and what time it was.
fn shape(operation: &Operation) -> Operation {
    let outcome = match operation.outcome.clone() {
        Outcome::Ok(Effect::Granted {
            owner: _,
            requested: _,
            valid_until: _,
            fencing_token,
            tries,
        }) => {
            let owner = lockproof_model::OwnerValue::new("");
            let [requested, valid_until] = Default::default();
            Outcome::Ok(Effect::Granted { owner, requested, valid_until, fencing_token, tries })
        }
        other => other,
    };
    let completed = operation.completed.map(|_| Default::default());
    Operation { invoked: Default::default(), completed, outcome, ..operation.clone() }
}

pub(crate) fn of_one_shape() {
    let scenario = scenario("redis-set-nx+fencing", 1, 10, "");
    let [processes, tasks] = [HoldersAs::Processes, HoldersAs::Tasks].map(|kind| {
        let ran = run_as(&scenario, kind, "embedded").remove(0);
        let results: Vec<_> = ran.history.attempts.iter().map(|each| each.result.clone()).collect();
        (ran.history.operations.iter().map(shape).collect::<Vec<_>>(), results)
    });
    assert_eq!(processes.0.len(), 70, "seven steps each");
    assert_eq!(processes, tasks);
}

pub(crate) fn on_one_axis() {
    let mut scenario = scenario("redis-set-nx", 6, 60, "");
    // Far longer than anybody needs: what overlaps is no overrun.
    scenario.ttl = Duration::from_secs(60);
    let ran = run(scenario);
    let history = &ran.history;
    // Were each process' stamps counted from a zero of its own, holders would seem to hold at one time.
    assert_eq!(ran.report.layers.belief, Verdict::Valid, "{:?}", ran.report.findings);
    let mut holders: Vec<_> = history.attempts.iter().map(|attempt| attempt.holder).collect();
    holders.sort_unstable();
    holders.dedup();
    assert!(holders.len() >= 2, "several took part: {holders:?}");
    for attempt in &history.attempts {
        assert!(attempt.intended <= attempt.started && attempt.started <= attempt.finished);
    }
    for operation in &history.operations {
        let attempt = history.attempt(operation.attempt).expect("its attempt is there");
        let completed = operation.completed.expect("nothing is open");
        assert!(attempt.started <= operation.invoked && operation.invoked <= completed);
        assert!(completed <= attempt.finished);
    }
}

pub(crate) fn over_a_link_of_ones_own() {
    const DELAY: Duration = Duration::from_millis(50);
    let late = r#"
[[fault]]
kind = "latency"
links = "redis"
holders = [1]
delay = "50ms"
from = "0ms"
"#;
    let mut scenario = scenario("redis-set-nx", 3, 60, late);
    scenario.load.slots = 60;
    // Long enough for everybody to come again, should the first be quicker than the fault.
    scenario.load.settings.work = Duration::from_millis(10);
    let ran = run(scenario);
    assert!(ran.report.injections[0].bit, "{:?}", ran.report.injections);
    let acquires = |first: bool| {
        let acquires = ran.history.operations.iter().filter(|each| each.step == Step::Acquire);
        let whose = acquires.filter(move |each| (each.holder == HolderId(1)) == first);
        whose.filter_map(Operation::duration)
    };
    // There and back.
    assert!(acquires(true).max().is_some_and(|most| most >= DELAY * 2), "its own link is late");
    assert!(acquires(false).min().is_some_and(|least| least < DELAY * 2), "the others' are not");
}

//! The shipped scenarios of the flows, in virtual time: each expectation held, and each control seen to fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockproof_checkers::{Checker, kinds};
use lockproof_model::{AttemptResult, Expectation, Outcome, Reason, Refusal, RefusedBy, Step};
use lockproof_runner::{CellPlan, Schedule, cells_of, simulate};
use lockproof_scenario::{Scenario, files_under, load};

/// Schedules of each cell: a control fails in one of them at least.
const SEEDS: u64 = 4;

fn shipped(name: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = files_under(&folder).expect("the folder can be read");
    let named = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    let path = files.into_iter().find(named).unwrap_or_else(|| panic!("no scenario {name}"));
    load(&path).unwrap_or_else(|problems| panic!("{problems}"))
}

fn with_flow(name: &str, flow: &str) -> Scenario {
    let mut scenario = shipped(name);
    scenario.load.flow = lockproof_workload::find(flow).expect("the catalog has it");
    scenario
}

/// The schedules of the cell of that strategy.
fn schedules(scenario: &Scenario, strategy: &str) -> Vec<Schedule> {
    let plans = cells_of(&[Arc::new(scenario.clone())], 1);
    let plan = plans.into_iter().find(|plan| plan.cell.strategy.to_string() == strategy);
    let plan = plan.expect("the scenario names it");
    let of = |seed| simulate(&CellPlan { seed, ..plan.clone() }).expect("the holders connect");
    (0..SEEDS).map(of).collect()
}

fn found(schedule: &Schedule, checker: &str) -> Vec<String> {
    let entry = lockproof_checkers::find(checker).expect("the catalog has it");
    let checkers: [&'static dyn Checker; 1] = [entry.checker];
    let findings = schedule.judge(&checkers);
    findings.into_iter().flat_map(|finding| finding.anomalies).map(|anomaly| anomaly.kind).collect()
}

fn refusals(schedule: &Schedule, step: Step, refusal: Refusal) -> usize {
    let refused = Outcome::Fail(Reason::Refused(refusal));
    let operations = schedule.history.operations.iter();
    operations.filter(|op| op.step == step && op.outcome == refused).count()
}

/// What the database holds and what customers were told is what each scenario says of each of its strategies.
#[test]
fn what_is_expected_of_each_strategy_is_what_comes_of_it() {
    for name in [
        "caller-without-a-key",
        "check-to-book-gap",
        "overlapping-hours",
        "part-of-a-stay-stays-locked",
        "released-before-commit",
        "renewal-not-heeded",
        "renewal-stops-the-work",
        "reserved-while-talking",
        "room-nights",
        "room-nights-past-ttl",
        "segments-in-any-order",
        "segments-in-order",
        "told-before-written",
        "told-by-the-outbox",
        "verify-then-insert",
    ] {
        let scenario = shipped(name);
        for cell in &scenario.cells {
            let mut shown = BTreeSet::new();
            for schedule in schedules(&scenario, &cell.strategy.to_string()) {
                let checkers = ["duplicate-bookings", "duplicate-effects", "orphaned-locks"];
                let kinds = checkers.iter().flat_map(|checker| found(&schedule, checker));
                shown.extend(kinds.filter(|kind| kind != kinds::RELEASE_UNDONE));
                if let Expectation::Bookings(count) = cell.expect {
                    let rows = schedule.table.bookings.len();
                    assert_eq!(u32::try_from(rows).ok(), Some(count), "{name}: {}", cell.strategy);
                }
            }
            let expected = match cell.expect {
                Expectation::Duplicates => Some(kinds::DUPLICATE_BOOKING.to_owned()),
                Expectation::Shows(kind) => Some(kind.to_owned()),
                _ => None,
            };
            let expected: BTreeSet<_> = expected.into_iter().collect();
            assert_eq!(shown, expected, "{name}: {}", cell.strategy);
        }
    }
}

/// Failure mode F51, and what an order is good for.
#[test]
fn bookings_that_cross_block_each_other_unless_there_is_an_order() {
    let any_order = shipped("segments-in-any-order");
    let in_order = with_flow("segments-in-any-order", "compound");
    let blocked = |scenario: &Scenario| {
        let of = schedules(scenario, "redis-set-nx");
        of.iter().map(|schedule| refusals(schedule, Step::Acquire, Refusal::Held)).sum::<usize>()
    };
    let deadlocks = |scenario: &Scenario| {
        let of = schedules(scenario, "row-lock");
        of.iter().map(|schedule| refusals(schedule, Step::Check, Refusal::Aborted)).sum::<usize>()
    };
    assert!(blocked(&any_order) > 0, "nobody had to give up");
    assert!(deadlocks(&any_order) > 0, "no deadlock");
    assert_eq!((blocked(&in_order), deadlocks(&in_order)), (0, 0));
}

/// Failure mode F52.
#[test]
fn a_stay_that_keeps_its_first_nights_leaves_locks_behind() {
    let left = |scenario: &Scenario| {
        let of = schedules(scenario, "redis-set-nx");
        let orphans =
            |schedule| found(schedule, "orphaned-locks").contains(&kinds::ORPHANED_LOCK.to_owned());
        of.iter().filter(|schedule| orphans(schedule)).count()
    };
    assert!(left(&shipped("part-of-a-stay-stays-locked")) > 0);
    assert_eq!(left(&with_flow("part-of-a-stay-stays-locked", "room-nights")), 0);
}

/// Failure mode F42: the same faults, heeded and not.
#[test]
fn a_renewal_that_is_refused_stops_the_work() {
    for schedule in schedules(&shipped("renewal-stops-the-work"), "redis-set-nx") {
        let refused = refusals(&schedule, Step::Renew, Refusal::LeaseEnded);
        let ended = AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::LeaseEnded };
        let stopped = schedule.history.attempts.iter().filter(|at| at.result == ended).count();
        assert!(refused > 0 && refused == stopped, "{refused} renewals, {stopped} attempts");
    }
    let heedless = schedules(&shipped("renewal-not-heeded"), "redis-set-nx");
    let refused = |schedule| refusals(schedule, Step::Renew, Refusal::LeaseEnded);
    assert!(heedless.iter().map(refused).sum::<usize>() > 0, "it was told");
}

/// Failure mode F58: the guard keeps the table right, and not what was sent.
#[test]
fn a_guard_cannot_take_back_what_was_sent() {
    for strategy in ["redis-set-nx+fencing", "redlock+version"] {
        let of = schedules(&shipped("told-before-written"), strategy);
        assert!(of.iter().all(|schedule| found(schedule, "duplicate-bookings").is_empty()));
        assert!(of.iter().any(|schedule| !found(schedule, "duplicate-effects").is_empty()));
        let outbox = schedules(&with_flow("told-before-written", "outbox"), strategy);
        assert!(outbox.iter().all(|schedule| found(schedule, "duplicate-effects").is_empty()));
    }
}

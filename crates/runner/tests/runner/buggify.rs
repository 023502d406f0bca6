//! What random faults find by themselves: no scenario here names a fault, and no search is told what to look for
//! beyond whose fault it is, the lock's or its holder's.
//!
//! Each hunt is the same on every machine: its budget is in schedules, and its seeds are written down.

use std::time::Duration;

use lockproof_checkers::kinds::{DOUBLE_WRITE, INSIDE_VALIDITY, ORPHANED_LOCK};
use lockproof_model::Layer;
use lockproof_runner::Buggify;

use crate::hunt::{Cause, Hunt, faults};

/// Of which the lock's holder suffers, and its server knows nothing.
const OF_HOLDERS: [&str; 4] = ["pause-holder", "slow-commit", "latency", "partition"];

#[test]
fn a_pause_past_the_ttl() {
    drop(Hunt::new("redis-set-nx", 400).catches(|cause| cause.is_one_of(&["pause-holder"])));
    let guarded = Hunt::new("redis-set-nx+version", 400);
    assert_eq!(guarded.breaks(), None);
}

#[test]
fn a_lease_that_ends_in_the_middle_of_a_transaction() {
    let hunt = Hunt::new("redis-set-nx", 400);
    drop(hunt.catches(|cause| cause.is_one_of(&["slow-commit", "latency"])));
    assert_eq!(Hunt::new("redis-set-nx+unique", 400).breaks(), None);
}

#[test]
fn a_release_without_a_comparison() {
    let hunt = Hunt::new("redis-naive-del", 2000).after(Layer::Belief, &[INSIDE_VALIDITY]);
    let naive = hunt.planted(|scenario| scenario.load.slots = 1);
    // Whatever its server loses breaks a lock; a holder that is late breaks it with this bug alone.
    let caught = naive.catches(|cause| cause.is_one_of(&OF_HOLDERS));
    assert!(naive.within(&caught.shrunk, |_| {}).breaks().is_some());
    let honest = Hunt::new("redis-set-nx", 1).scenario.cells[0];
    let honest = naive.within(&caught.shrunk, |scenario| scenario.cells = vec![honest]);
    assert_eq!(honest.breaks(), None);
}

/// Four holders that want one slot at once, on as few servers as make a majority: the votes are often split, and a
/// majority has nothing to spare.
fn split_votes() -> Hunt {
    let hunt = Hunt::new("redlock", 3000).after(Layer::Belief, &[INSIDE_VALIDITY]);
    hunt.planted(|scenario| {
        scenario.servers = Some(3);
        scenario.load.holders = 4;
        scenario.load.slots = 1;
        // Long enough inside for somebody else to find a server that is back.
        scenario.load.settings.work = Duration::from_millis(20);
        scenario.wait.delay = Duration::from_millis(3);
        scenario.wait.jitter = Duration::from_millis(3);
    })
}

/// Whether the one fault that is left is on one of the servers.
fn on_one_server(cause: &Cause) -> bool {
    (1..=3).any(|server| cause.is(&[&format!("servers = [\"redis-{server}\"]")]))
}

#[test]
fn a_redlock_server_that_restarts_empty() {
    let hunt = split_votes();
    let caught = hunt.catches(|cause| {
        on_one_server(cause) && cause.is(&["kind = \"crash-server\"", "keeps = \"nothing\""])
    });
    assert!(hunt.within(&caught.shrunk, |_| {}).breaks().is_some());
    let durable = hunt.within(&caught.shrunk, |scenario| {
        faults(scenario, |fault| Some(fault.replace("\"nothing\"", "\"everything\"")));
    });
    assert_eq!(durable.breaks(), None, "with `appendfsync always`");
}

#[test]
fn a_clock_that_jumps_on_a_redlock_server() {
    let hunt = split_votes();
    let caught = hunt.catches(|cause| on_one_server(cause) && cause.is_one_of(&["clock-jump"]));
    assert!(hunt.within(&caught.shrunk, |_| {}).breaks().is_some());
    let right = hunt.within(&caught.shrunk, |scenario| faults(scenario, |_| None));
    assert_eq!(right.breaks(), None, "without the jump");
}

#[test]
fn a_version_that_a_redlock_is_guarded_by_stands_all_that() {
    assert_eq!(Hunt::new("redlock+version", 150).breaks(), None);
}

#[test]
fn a_failover_before_replication() {
    let hunt = Hunt::new("redis-set-nx", 4000).after(Layer::Belief, &[INSIDE_VALIDITY]);
    let caught = hunt.catches(|cause| cause.is_one_of(&["failover"]));
    assert!(hunt.within(&caught.shrunk, |_| {}).breaks().is_some());
    let replicated = hunt.within(&caught.shrunk, |scenario| {
        faults(scenario, |fault| {
            let lines = fault.lines().map(|line| match line.split_once(" = ") {
                Some(("lag", _)) => "lag = \"0s\"",
                _ => line,
            });
            Some(lines.collect::<Vec<_>>().join("\n"))
        });
    });
    assert_eq!(replicated.breaks(), None, "to a replica that was not behind");
}

#[test]
fn a_lost_answer_that_leaves_an_orphaned_lock() {
    let hunt = |strategy| Hunt::new(strategy, 400).after(Layer::Liveness, &[ORPHANED_LOCK]);
    drop(hunt("redis-no-withdraw").catches(|cause| cause.is_one_of(&["lose-reply"])));
    assert_eq!(hunt("redis-set-nx").breaks(), None, "with a withdrawal");
}

#[test]
fn a_quorum_that_failed_and_was_not_taken_back() {
    let hunt = |strategy| Hunt::new(strategy, 200).after(Layer::Liveness, &[ORPHANED_LOCK]);
    drop(hunt("redlock-no-cleanup").catches(|cause| cause.faults.len() <= 1));
    assert_eq!(hunt("redlock").breaks(), None, "with a clean-up");
}

#[test]
fn a_commit_whose_answer_is_lost_and_that_is_tried_again() {
    // Room for all, or the second try would find its own booking in its way.
    let hunt = || Hunt::new("row-lock", 400).planted(|scenario| scenario.capacity = 8);
    let flow = lockproof_workload::find("retry-unknown").expect("it is in the catalog");
    let retrying = hunt().planted(|scenario| scenario.load.flow = flow);
    drop(retrying.catches(|cause| {
        cause.anomaly == DOUBLE_WRITE
            && cause.is(&["kind = \"lose-reply\"", "links = [\"database\"]"])
    }));
    assert_eq!(hunt().breaks(), None, "by a holder that leaves it at not knowing");
}

#[test]
fn a_counter_of_fencing_tokens_that_is_lost() {
    let mut hunt = Hunt::new("redis-set-nx+fencing", 2000);
    assert_eq!(hunt.breaks(), None, "while its counter lasts");
    hunt.buggify = Buggify::LosingTokens;
    let number = hunt.breaks();
    assert!(number.is_some());
}

#[test]
fn a_fence_that_is_looked_at_only_at_the_write() {
    let number = Hunt::new("redis-set-nx+fencing-write-only", 2000).breaks();
    assert!(number.is_some());
}

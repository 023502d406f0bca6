//! A scenario with other faults: what exploration makes of it, schedule by schedule.

use std::time::Duration;

use lockproof_env::Random;
use lockproof_faults::buggify::{Ground, draw};
use lockproof_scenario::{Scenario, resolved, with_faults};

use crate::support::{FINE, read, with, with_fault};

fn replaced(scenario: &Scenario, faults: &[&str]) -> Result<Scenario, String> {
    let faults: Vec<_> = faults.iter().map(|&fault| fault.to_owned()).collect();
    with_faults(scenario, &faults).map_err(|problems| problems.to_string())
}

#[test]
fn a_scenarios_own_faults_put_in_its_place_again_change_nothing() {
    let scenario = read(&with_fault(
        "kind = \"latency\"\nlinks = [\"redis-1\", \"redis\"]\ndelay = \"20ms\"\nfrom = \"1s\"\nholders = [1, 0x2]",
    ))
    .unwrap();
    let again = with_faults(&scenario, &scenario.fault_fields).unwrap();
    assert_eq!(resolved(&again), resolved(&scenario));
    assert_eq!(format!("{:?}", again.faults), format!("{:?}", scenario.faults));
}

#[test]
fn other_faults_are_read_as_those_of_a_file_are() {
    let scenario = read(FINE).unwrap();
    let kill = "kind = \"kill-holder\"\nat = \"before-commit\"\nnth = 3\nfor = \"1s\"";
    let lose = "kind = \"lose-reply\"\nat = \"before-acquire\"\nfor = \"1s\"\nlinks = \"redis\"";
    let other = replaced(&scenario, &[kill, lose]).unwrap();
    let labels: Vec<_> = other.faults.iter().map(lockproof_faults::FaultPlan::label).collect();
    assert_eq!(labels, ["kill-holder 1s", "lose-reply redis 1s"]);
    assert_eq!(other.faults[1].number, 2);
    let from_file = read(&resolved(&other)).unwrap();
    assert_eq!(resolved(&from_file), resolved(&other));
    assert!(replaced(&other, &[]).unwrap().faults.is_empty());
}

#[test]
fn a_fault_that_will_not_do_is_placed_in_its_own_text() {
    let scenario = read(FINE).unwrap();
    let fine = "kind = \"expire-lock\"\nat = \"after-check\"";
    let broken = ["kind = \"expire-lock\"\nat = \"after-chekc\"", "kind = ", fine];
    assert_eq!(
        replaced(&scenario, &broken).unwrap_err(),
        "[[fault]] 1:2:6: `after-chekc` names no point of a booking; a point is before-, answer- or after- and a step, as in after-check; did you mean `after-check`?\n[[fault]] 2:1:8: string values must be quoted, expected literal string"
    );
    assert_eq!(
        replaced(&scenario, &["kind = \"evict\"\nfrom = \"1s\"\nservers = \"redis-2\""])
            .unwrap_err(),
        "[[fault]] 1:1:1: redis-set-nx has no server redis-2: it runs on 1 Redis servers"
    );
}

/// What random faults are drawn for in `scenario`.
fn ground(scenario: &Scenario) -> Ground {
    Ground {
        steps: scenario.load.flow.steps,
        holders: scenario.load.holders,
        bookings: 8,
        ttl: scenario.ttl,
        redis_servers: scenario.redis_servers(&scenario.cells[0].strategy),
        has_database_link: true,
        keeps_tokens: false,
        span: Duration::from_millis(700),
    }
}

#[test]
fn every_fault_that_is_drawn_is_one_that_a_scenario_may_have() {
    for (strategies, ttl) in [("redlock", "250ms"), ("redis-set-nx", "3ms"), ("row-lock", "1h")] {
        let text = with("[\"redis-set-nx\", \"redlock\"]", &format!("[\"{strategies}\"]"));
        let scenario = read(&text.replace("250ms", ttl)).unwrap();
        let ground = ground(&scenario);
        for seed in 0..2_000 {
            let faults = draw(&ground, &Random::new(seed));
            let drawn = with_faults(&scenario, &faults)
                .unwrap_or_else(|problems| panic!("{problems}\nof\n{}", faults.join("\n\n")));
            assert_eq!(drawn.faults.len(), faults.len());
            // As it is kept, it is drawn.
            assert_eq!(drawn.fault_fields, faults);
        }
    }
}

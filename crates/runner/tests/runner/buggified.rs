//! Random faults on a simulated cell: done, seen to bite, and the same twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Random;
use lockproof_faults::ENTRIES;
use lockproof_faults::buggify::{Ground, draw};
use lockproof_rig::sim::RedisDriver;
use lockproof_runner::{CellPlan, Schedule, simulate};
use lockproof_scenario::{Scenario, parse, with_faults};

const SCENARIO: &str = r#"schema_version = 1
strategies = ["redlock+version"]

[workload]
holders = 3
slots = 3
capacity = 1
bookings = 15
work = "4ms"

[lock]
ttl = "40ms"
wait = { tries = 10, delay = "5ms", jitter = "2ms" }
server-time-limit = "10ms"
"#;

fn scenario() -> Scenario {
    parse(Path::new("drawn.toml"), SCENARIO).expect("it is fine")
}

/// One schedule with the faults that `seed` draws.
fn schedule(scenario: &Scenario, seed: u64) -> (Vec<String>, Schedule) {
    let ground = Ground {
        steps: scenario.load.flow.steps,
        holders: 3,
        bookings: 15,
        ttl: scenario.ttl,
        redis_servers: 5,
        has_database_link: true,
        keeps_tokens: false,
        span: Duration::from_millis(60),
    };
    let faults = draw(&ground, &Random::new(seed));
    let scenario = Arc::new(with_faults(scenario, &faults).expect("what is drawn can be read"));
    let cell = scenario.cells[0];
    let plan = CellPlan { index: 0, cell, scenario, seed, driver: RedisDriver::default() };
    (faults, simulate(&plan).expect("the holders connect"))
}

#[test]
fn every_kind_is_done_and_bites_now_and_then_and_no_load_hangs() {
    let scenario = scenario();
    let mut bitten = BTreeSet::new();
    for seed in 0..400 {
        let (faults, schedule) = schedule(&scenario, seed);
        let said = || format!("seed {seed}\n{}\n{:#?}", faults.join("\n\n"), schedule.injections);
        assert_eq!(schedule.cut_short, None, "{}", said());
        let undone = schedule.injections.iter().find(|r| r.observed.starts_with("not "));
        assert!(undone.is_none(), "{}", said());
        let ours = schedule.injections.iter().filter(|record| record.bit);
        bitten.extend(ours.map(|record| record.kind.clone()));
        assert_eq!(schedule.history.attempts.len(), 15, "{}", said());
    }
    let drawn = ENTRIES.iter().filter(|entry| entry.draw.is_some());
    let never: Vec<_> =
        drawn.map(|entry| entry.name).filter(|name| !bitten.contains(*name)).collect();
    assert!(never.is_empty(), "{never:?} never bit");
}

#[test]
fn a_seed_gives_the_same_schedule_twice_whatever_goes_wrong_in_it() {
    let scenario = scenario();
    for seed in 0..60 {
        let once = || {
            let (faults, schedule) = schedule(&scenario, seed);
            let Schedule { history, table, injections, took, .. } = schedule;
            (faults, history, table, injections, took)
        };
        assert_eq!(once(), once(), "seed {seed}");
    }
}

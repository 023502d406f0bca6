//! Random faults: the same for a seed, every kind within reach, and none out of bounds.

use std::time::Duration;

use lockproof_env::Random;
use lockproof_faults::ENTRIES;
use lockproof_faults::buggify::{Ground, draw};

fn ground(redis_servers: usize) -> Ground {
    Ground {
        steps: lockproof_workload::ENTRIES[0].steps,
        holders: 3,
        bookings: 12,
        ttl: Duration::from_millis(250),
        redis_servers,
        has_database_link: true,
        keeps_tokens: false,
        span: Duration::from_millis(800),
    }
}

fn drawn(ground: &Ground, seeds: u64) -> Vec<String> {
    (0..seeds).flat_map(|seed| draw(ground, &Random::new(seed))).collect()
}

fn kind_of(fault: &str) -> &str {
    let line = fault.lines().next().expect("a fault has fields");
    line.strip_prefix("kind = ").expect("the kind comes first").trim_matches('"')
}

#[test]
fn a_seed_draws_the_same_faults_twice_and_another_draws_others() {
    let ground = ground(5);
    let of = |seed| draw(&ground, &Random::new(seed));
    assert!((0..200).all(|seed| of(seed) == of(seed)));
    assert!((0..200).any(|seed| of(seed) != of(seed + 1)));
}

#[test]
fn a_schedule_has_one_to_four_faults() {
    for servers in [0, 1, 5] {
        let ground = Ground { has_database_link: false, ..ground(servers) };
        let counts: Vec<_> = (0..500).map(|seed| draw(&ground, &Random::new(seed)).len()).collect();
        assert!(
            counts.iter().all(|count| (1..=4).contains(count)),
            "{servers} servers: {counts:?}"
        );
        assert!((1..=4).all(|count| counts.contains(&count)));
    }
}

#[test]
fn every_kind_that_has_a_draw_comes_up() {
    let drawn = drawn(&ground(5), 1_000);
    for entry in ENTRIES.iter().filter(|entry| entry.draw.is_some()) {
        let count = drawn.iter().filter(|fault| kind_of(fault) == entry.name).count();
        assert!(count > 5, "{} came up {count} times", entry.name);
    }
}

#[test]
fn a_strategy_that_counts_tokens_loses_no_data() {
    let ground = Ground { keeps_tokens: true, ..ground(1) };
    for fault in drawn(&ground, 2_000) {
        assert!(!["failover", "evict"].contains(&kind_of(&fault)), "{fault}");
        assert!(kind_of(&fault) != "crash-server" || fault.contains("\"everything\""), "{fault}");
    }
}

#[test]
fn nothing_is_done_to_what_is_not_there() {
    let bare = Ground { has_database_link: false, ..ground(0) };
    for fault in drawn(&bare, 500) {
        assert!(!fault.contains("links") && !fault.contains("servers"), "{fault}");
    }
    for fault in drawn(&Ground { has_database_link: false, ..ground(1) }, 500) {
        assert!(!fault.contains("database") && !fault.contains("redis-m"), "{fault}");
    }
}

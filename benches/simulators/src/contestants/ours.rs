//! Ours: what `lockproof explore` does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::live::stopwatch;
use lockproof_model::Layer;
use lockproof_rig::sim::RedisDriver;
use lockproof_runner::{Buggify, CellPlan, Search, cells_of, explore, scheduled, simulate};
use lockproof_scenario::parse;

use crate::measure::{BOOKINGS, Contestant, Length};

/// What a search is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) holders: u32,
    pub(crate) work: Duration,
    pub(crate) jobs: usize,
    pub(crate) driver: RedisDriver,
}

impl Size {
    pub(crate) fn of(holders: u32) -> Self {
        Self { holders, work: Duration::ZERO, jobs: 1, driver: RedisDriver::default() }
    }
}

/// A search through schedules of that size, of which none breaks anything.
pub(crate) fn search(name: &'static str, size: Size) -> Contestant {
    let plan = plan(size);
    let search = move |length| Search {
        schedules: match length {
            Length::Time(_) => u64::MAX,
            Length::Schedules(schedules) => schedules,
        },
        time: match length {
            Length::Time(time) => Some(time),
            Length::Schedules(_) => None,
        },
        jobs: size.jobs,
        buggify: Buggify::Off,
        layers: vec![Layer::Effect],
        kinds: Vec::new(),
        besides: Vec::new(),
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        halt: Arc::default(),
        slice: None,
        chronicle: None,
    };
    assert_whole(&plan, &search(Length::Schedules(1)), size);
    Contestant::in_bulk(name, size.holders, move |length| {
        let explored = explore(&plan, &search(length), stopwatch(), &|_| {});
        assert!(explored.found.is_none(), "it broke: {:?}", explored.found);
        explored.figures.schedules
    })
}

/// Every booking has a slot of its own, so that each goes all the way.
fn plan(Size { holders, work, driver, .. }: Size) -> CellPlan {
    let bookings = holders * BOOKINGS;
    let text = format!(
        r#"
schema_version = 1
name = "bench"
strategies = ["redis-set-nx"]

[workload]
holders = {holders}
slots = {bookings}
bookings = {bookings}
work = "{}ms"

[lock]
ttl = "10s"
"#,
        work.as_millis()
    );
    let scenario = parse(Path::new("bench.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
    cells_of(&[Arc::new(scenario)], 1).remove(0).driven_by(driver)
}

/// What is measured has happened: every booking stands, and every step of it is in the history.
fn assert_whole(plan: &CellPlan, search: &Search, size: Size) {
    let schedule =
        simulate(&scheduled(plan, search, 0)).expect("nothing keeps holders from connecting");
    let bookings = (size.holders * BOOKINGS) as usize;
    assert_eq!(schedule.table.bookings.len(), bookings, "bookings that stand");
    let steps = plan.scenario.load.flow.steps.len();
    assert_eq!(schedule.history.operations.len(), bookings * steps, "operations in the history");
    assert_eq!(schedule.left, [], "locks that were not released");
}

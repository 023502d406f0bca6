//! Who is compared with whom, and what is asked of ours.

use std::time::Duration;

use lockproof_rig::sim::RedisDriver;

use crate::contest::{Bar, Contest, Limit};
use crate::contestants::{ours, paused_clock, turmoil};

const OURS: &str = "lockproof explore, 20 holders";
const OURS_WORK: &str = "the same, 50 ms of work in each booking";
const OURS_LONG: &str = "the same, 300 ms of work in each booking";
const OURS_TWO: &str = "the same, on two threads";
const OURS_WIRE: &str = "the same, with --wire";
const OURS_200: &str = "the same, 200 holders";
const OURS_2000: &str = "the same, 2000 holders";
const PAUSED: &str = "tokio's paused clock, bare requests";
const TURMOIL: &str = "turmoil, bare requests";
const TURMOIL_IDLE: &str = "turmoil, 50 ms before each bare request";

const HOLDERS: u32 = 20;
const NOTHING: Duration = Duration::ZERO;
const IDLE: Duration = Duration::from_millis(50);
/// As much idle time in a booking as in six requests.
const LONG: Duration = Duration::from_millis(300);

pub(crate) const CONTESTS: &[Contest] = &[
    Contest {
        title: "one thread",
        contestants: || {
            vec![
                ours::search(OURS, ours::Size::of(HOLDERS)),
                paused_clock::schedules(PAUSED, HOLDERS),
                turmoil::schedules(TURMOIL, HOLDERS, NOTHING),
            ]
        },
        bars: &[
            Bar { ours: OURS, limit: Limit::SchedulesPerSecond(2500.0) },
            Bar { ours: OURS, limit: Limit::Speed(1.0, PAUSED) },
            Bar { ours: OURS, limit: Limit::Speed(17.0, TURMOIL) },
        ],
    },
    Contest {
        title: "idle time",
        contestants: || {
            vec![
                ours::search(OURS, ours::Size::of(HOLDERS)),
                ours::search(OURS_WORK, ours::Size { work: IDLE, ..ours::Size::of(HOLDERS) }),
                ours::search(OURS_LONG, ours::Size { work: LONG, ..ours::Size::of(HOLDERS) }),
                turmoil::schedules(TURMOIL_IDLE, HOLDERS, IDLE),
            ]
        },
        bars: &[
            Bar { ours: OURS_WORK, limit: Limit::Speed(0.7, OURS) },
            Bar { ours: OURS_LONG, limit: Limit::Speed(100.0, TURMOIL_IDLE) },
        ],
    },
    Contest {
        title: "two threads",
        contestants: || {
            vec![
                ours::search(OURS, ours::Size::of(HOLDERS)),
                ours::search(OURS_TWO, ours::Size { jobs: 2, ..ours::Size::of(HOLDERS) }),
            ]
        },
        bars: &[Bar { ours: OURS_TWO, limit: Limit::RealSpeed(1.7, OURS) }],
    },
    Contest {
        title: "the unmodified client library",
        contestants: || {
            let driver = RedisDriver::Library;
            vec![
                ours::search(OURS, ours::Size::of(HOLDERS)),
                ours::search(OURS_WIRE, ours::Size { driver, ..ours::Size::of(HOLDERS) }),
            ]
        },
        bars: &[Bar { ours: OURS_WIRE, limit: Limit::SchedulesPerSecond(300.0) }],
    },
    Contest {
        title: "many holders",
        contestants: || {
            vec![
                ours::search(OURS, ours::Size::of(HOLDERS)),
                ours::search(OURS_200, ours::Size::of(200)),
                ours::search(OURS_2000, ours::Size::of(2000)),
            ]
        },
        bars: &[
            Bar { ours: OURS_200, limit: Limit::TimePerBooking(1.5, OURS) },
            Bar { ours: OURS_2000, limit: Limit::TimePerBooking(1.5, OURS) },
        ],
    },
];

//! Who is compared with whom, and what is asked of ours.

use crate::contest::{Bar, Contest, Limit};
use crate::contestants::raw::Patience;
use crate::contestants::{fred, ours, raw, redlock, rslock};

const MANY: u32 = 64;

const OURS: &str = "lockproof redis-set-nx";
const OURS_1: &str = "lockproof redlock, 1 server";
const OURS_3: &str = "lockproof redlock, 3 servers";
const OURS_5: &str = "lockproof redlock, 5 servers";
const RAW: &str = "raw redis multiplexed connection";
const RAW_ENDLESS: &str = "raw redis multiplexed connection, no time limit";
/// Ours has two as well: what the layer above them costs.
const RAW_TWO: &str = "raw redis, two multiplexed connections";
const SOCKET: &str = "raw blocking socket";
const RSLOCK: &str = "rslock";
const RSLOCK_3: &str = "rslock, 3 servers";
const RSLOCK_5: &str = "rslock, 5 servers";
const REDLOCK_3: &str = "redlock 2.0, 3 servers";

pub(crate) const CONTESTS: &[Contest] = &[
    Contest {
        title: "one server, 64 holders",
        contestants: |servers| {
            vec![
                ours::lock(OURS, "redis-set-nx", servers, 1, MANY),
                raw::multiplexed(RAW, servers, MANY, 1, Patience::Limited),
                raw::multiplexed(RAW_ENDLESS, servers, MANY, 1, Patience::Endless),
                raw::multiplexed(RAW_TWO, servers, MANY, 2, Patience::Limited),
                rslock::lock(RSLOCK, servers, 1, MANY, true),
                rslock::lock("rslock, Nagle on (its default)", servers, 1, MANY, false),
                fred::multiplexed("raw fred", servers, MANY),
            ]
        },
        bars: &[
            Bar { ours: OURS, theirs: RSLOCK, limit: Limit::Throughput(1.15) },
            Bar { ours: OURS, theirs: RAW, limit: Limit::Throughput(0.9) },
            Bar { ours: OURS, theirs: RAW_TWO, limit: Limit::Throughput(0.8) },
        ],
    },
    Contest {
        title: "one server, one holder",
        contestants: |servers| {
            vec![
                ours::lock(OURS, "redis-set-nx", servers, 1, 1),
                raw::blocking(SOCKET, servers),
                raw::multiplexed(RAW, servers, 1, 1, Patience::Limited),
                rslock::lock(RSLOCK, servers, 1, 1, true),
                fred::multiplexed("raw fred", servers, 1),
            ]
        },
        bars: &[Bar { ours: OURS, theirs: SOCKET, limit: Limit::P50(1.25) }],
    },
    Contest {
        title: "quorum, 64 holders",
        contestants: |servers| {
            vec![
                ours::lock(OURS_3, "redlock", servers, 3, MANY),
                rslock::lock(RSLOCK_3, servers, 3, MANY, true),
                ours::lock(OURS_5, "redlock", servers, 5, MANY),
                rslock::lock(RSLOCK_5, servers, 5, MANY, true),
            ]
        },
        bars: &[
            Bar { ours: OURS_3, theirs: RSLOCK_3, limit: Limit::Throughput(1.4) },
            Bar { ours: OURS_5, theirs: RSLOCK_5, limit: Limit::Throughput(1.4) },
        ],
    },
    Contest {
        title: "quorum, one holder",
        contestants: |servers| {
            vec![
                ours::lock(OURS_1, "redlock", servers, 1, 1),
                ours::lock(OURS_3, "redlock", servers, 3, 1),
                ours::lock(OURS_5, "redlock", servers, 5, 1),
                rslock::lock(RSLOCK_3, servers, 3, 1, true),
                rslock::lock(RSLOCK_5, servers, 5, 1, true),
                redlock::lock(REDLOCK_3, servers, 3),
            ]
        },
        bars: &[
            Bar { ours: OURS_5, theirs: OURS_1, limit: Limit::P50(1.6) },
            Bar { ours: OURS_3, theirs: REDLOCK_3, limit: Limit::Throughput(3.0) },
        ],
    },
];

//! How each entry of the catalog is tried.

use lockproof_model::{Point, Step};
use lockproof_rig::Topology;

use super::symptoms::{
    database_clock_fast, database_clock_jumped, database_silent, killed, lock_gone, lock_silent,
    no_room, paused, redis_clock_fast, redis_clock_jumped, session_lost, step_held,
};
use super::{Dropped, Setting, Trial};

/// Longer than the stage waits for an answer, both ways together.
const SLOW: Setting = Setting::Text("100ms");
const REDIS: (&str, Setting) = ("links", Setting::Text("redis"));
const DATABASE: (&str, Setting) = ("links", Setting::Text("database"));
const REDIS_SERVER: (&str, Setting) = ("servers", Setting::Text("redis"));
const DATABASE_SERVER: (&str, Setting) = ("servers", Setting::Text("database"));

const INDEPENDENT: &[Topology] = &[Topology::Independent];
const PAIR: &[Topology] = &[Topology::Independent, Topology::Sentinel];

/// What most have in common.
const TRIAL: Trial = Trial {
    name: "",
    fault: "",
    fields: &[],
    topologies: &Topology::ALL,
    point: Point::after(Step::Check),
    dropped: Dropped::Healed,
    symptom: paused,
};

/// Every entry of the catalog, and what can be told apart of it, in the catalog's order.
pub const TRIALS: &[Trial] = &[
    Trial { name: "pause_holder", fault: "pause-holder", symptom: paused, ..TRIAL },
    Trial { name: "kill_holder", fault: "kill-holder", symptom: killed, ..TRIAL },
    Trial { name: "expire_lock", fault: "expire-lock", symptom: lock_gone, ..TRIAL },
    Trial {
        name: "slow_commit",
        fault: "slow-commit",
        point: Point::before(Step::Commit),
        symptom: step_held,
        ..TRIAL
    },
    Trial { name: "kill_backend", fault: "kill-backend", symptom: session_lost, ..TRIAL },
    Trial {
        name: "latency",
        fault: "latency",
        fields: &[REDIS, ("delay", SLOW)],
        topologies: INDEPENDENT,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "latency_of_the_database",
        fault: "latency",
        fields: &[DATABASE, ("delay", SLOW)],
        symptom: database_silent,
        ..TRIAL
    },
    Trial {
        name: "partition",
        fault: "partition",
        fields: &[REDIS],
        topologies: INDEPENDENT,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "partition_of_the_database",
        fault: "partition",
        fields: &[DATABASE],
        symptom: database_silent,
        ..TRIAL
    },
    Trial {
        name: "lose_reply",
        fault: "lose-reply",
        fields: &[REDIS],
        topologies: INDEPENDENT,
        point: Point::before(Step::Acquire),
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "lose_request",
        fault: "lose-request",
        fields: &[REDIS],
        topologies: INDEPENDENT,
        point: Point::before(Step::Acquire),
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "reset_connections",
        fault: "reset-connections",
        fields: &[REDIS],
        topologies: INDEPENDENT,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "rule",
        fault: "rule",
        fields: &[REDIS, ("command", Setting::Text("SET")), ("then", Setting::Text("hold"))],
        topologies: INDEPENDENT,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "pause_server",
        fault: "pause-server",
        fields: &[REDIS_SERVER],
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "pause_server_of_the_database",
        fault: "pause-server",
        fields: &[DATABASE_SERVER],
        symptom: database_silent,
        ..TRIAL
    },
    Trial {
        name: "crash_server",
        fault: "crash-server",
        fields: &[REDIS_SERVER],
        dropped: Dropped::Down,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "crash_server_that_keeps_everything",
        fault: "crash-server",
        fields: &[REDIS_SERVER, ("keeps", Setting::Text("everything"))],
        dropped: Dropped::Down,
        symptom: lock_silent,
        ..TRIAL
    },
    Trial {
        name: "crash_server_of_the_database",
        fault: "crash-server",
        fields: &[DATABASE_SERVER],
        dropped: Dropped::Down,
        symptom: database_silent,
        ..TRIAL
    },
    Trial {
        name: "clock_jump",
        fault: "clock-jump",
        fields: &[REDIS_SERVER, ("by", Setting::Text("+2m"))],
        topologies: INDEPENDENT,
        symptom: redis_clock_jumped,
        ..TRIAL
    },
    Trial {
        name: "clock_jump_of_the_database",
        fault: "clock-jump",
        fields: &[DATABASE_SERVER, ("by", Setting::Text("-2m"))],
        symptom: database_clock_jumped,
        ..TRIAL
    },
    Trial {
        name: "clock_drift",
        fault: "clock-drift",
        fields: &[REDIS_SERVER, ("rate", Setting::Number(100.0))],
        topologies: INDEPENDENT,
        symptom: redis_clock_fast,
        ..TRIAL
    },
    Trial {
        name: "clock_drift_of_the_database",
        fault: "clock-drift",
        fields: &[DATABASE_SERVER, ("rate", Setting::Number(100.0))],
        symptom: database_clock_fast,
        ..TRIAL
    },
    Trial {
        name: "failover",
        fault: "failover",
        fields: &[REDIS_SERVER, ("lag", Setting::Text("1m"))],
        topologies: PAIR,
        dropped: Dropped::Once,
        symptom: lock_gone,
        ..TRIAL
    },
    Trial { name: "evict", fault: "evict", fields: &[REDIS_SERVER], symptom: lock_gone, ..TRIAL },
    Trial {
        name: "flush_all",
        fault: "flush-all",
        fields: &[REDIS_SERVER],
        symptom: lock_gone,
        ..TRIAL
    },
    Trial { name: "disk_full", fault: "disk-full", symptom: no_room, ..TRIAL },
];

//! `topology` of `[servers]`, and `[database]`.

use std::time::Duration;

use lockproof_rig::{ServerNeeds, SessionLimits, Topology};
use lockproof_scenario::{Strategy, resolved};

use crate::support::{FINE, read, refused, with_fault};

/// A lock on one server, on a topology.
fn on(topology: &str, rest: &str) -> String {
    let alone = FINE.replace("\"redis-set-nx\", \"redlock\"", "\"redis-set-nx\"");
    format!("{alone}\n[servers]\ntopology = \"{topology}\"\n{rest}")
}

#[test]
fn a_pair_and_a_cluster_are_for_locks_on_one_service_and_for_the_live_world() {
    for (topology, servers) in [("sentinel", 1), ("cluster", 3)] {
        let scenario = read(&on(topology, "")).unwrap();
        let strategy = Strategy::parse("redis-set-nx").unwrap();
        assert_eq!(scenario.redis_servers(&strategy), servers);
        assert_eq!(scenario.redis_servers(&Strategy::parse("row-lock").unwrap()), 0);
        let why = scenario.needs_live().unwrap();
        assert_eq!(why, format!("its Redis is a {topology}, which only the live world has"));
        assert_eq!(
            scenario.admits(&Strategy::parse("redlock").unwrap()).unwrap_err(),
            format!(
                "bad: redlock needs servers that know nothing of each other, and a {topology} is one service; leave `topology` out, or use redis-set-nx"
            )
        );
        assert_eq!(resolved(&read(&resolved(&scenario)).unwrap()), resolved(&scenario));
    }
    refused(
        &format!("{FINE}\n[servers]\ntopology = \"cluster\"\n"),
        &[
            "bad.toml:12:12: redlock needs servers that know nothing of each other, and a cluster is one service; leave `topology` out, or use redis-set-nx",
        ],
    );
    refused(
        &on("sentinle", ""),
        &["bad.toml:12:12: unknown topology `sentinle`; did you mean `sentinel`? available:"],
    );
}

#[test]
fn a_replica_of_a_pair_is_as_late_as_the_scenario_says() {
    let scenario = read(&on("sentinel", "replica-lag = \"10s\"\n")).unwrap();
    let lag = ServerNeeds { replica_lag: Some(Duration::from_secs(10)), ..ServerNeeds::default() };
    assert_eq!((scenario.topology, scenario.server_needs()), (Topology::Sentinel, lag));
    refused(
        &on("cluster", "replica-lag = \"10s\"\n"),
        &[
            "bad.toml:13:1: `replica-lag` is of a sentinel's pair: topology = \"sentinel\"; elsewhere the failover fault has a `lag`",
        ],
    );
}

#[test]
fn what_never_bites_on_a_topology_is_refused() {
    let fault = |topology: &str, fields: &str| on(topology, &format!("[[fault]]\n{fields}\n"));
    let cluster = "kind = \"failover\"\nservers = \"redis-1\"\nlag = \"1s\"\nfrom = \"0ms\"";
    refused(
        &fault("cluster", cluster),
        &[
            "bad.toml:13:1: the three primaries of the cluster have no replicas; use topology = \"sentinel\"",
        ],
    );
    assert!(read(&fault("sentinel", cluster)).is_ok());
    let link = "kind = \"partition\"\nlinks = \"redis\"\nfrom = \"0ms\"";
    refused(
        &fault("sentinel", link),
        &[
            "bad.toml:13:1: holders find the servers of a sentinel or a cluster by themselves, past every proxy; do it to `servers`, or to independent ones",
        ],
    );
    assert!(read(&fault("sentinel", &link.replace("\"redis\"", "\"database\""))).is_ok());
    let pause = "kind = \"pause-server\"\nservers = \"redis-4\"\nfrom = \"0ms\"";
    refused(
        &fault("cluster", pause),
        &["bad.toml:13:1: redis-set-nx has no server redis-4: it runs on 3 Redis servers"],
    );
}

#[test]
fn a_database_limits_its_sessions() {
    let text = format!(
        "{FINE}\n[database]\nidle-in-transaction-session-timeout = \"200ms\"\nlock-timeout = \"1s\"\n"
    );
    let scenario = read(&text).unwrap();
    let limits = SessionLimits {
        idle_in_transaction: Some(Duration::from_millis(200)),
        lock: Some(Duration::from_secs(1)),
    };
    assert_eq!(scenario.database_plan().limits, limits);
    assert_eq!(scenario.needs_database_server(), Some("[database] limits its sessions"));
    assert_eq!(resolved(&read(&resolved(&scenario)).unwrap()), resolved(&scenario));
    refused(
        &format!("{FINE}\n[database]\nlock-timeout = \"100us\"\n"),
        &[
            "bad.toml:12:16: `lock-timeout` is a whole number of milliseconds, at least 1ms; left out, the server's default stands",
        ],
    );
}

#[test]
fn what_the_model_database_does_not_have_needs_the_live_world() {
    for (fields, what) in [
        ("kind = \"disk-full\"\nfrom = \"0ms\"", "disk-full"),
        (
            "kind = \"clock-jump\"\nservers = \"database\"\nby = \"+1s\"\nfrom = \"0ms\"",
            "clock-jump of the database",
        ),
    ] {
        let why = read(&with_fault(fields)).unwrap().needs_live().unwrap();
        assert_eq!(why, format!("fault 1 is a {what}, which only the live world can do"));
    }
    let crash = "kind = \"crash-server\"\nservers = \"database\"\nfrom = \"0ms\"\nuntil = \"1s\"";
    assert_eq!(read(&with_fault(crash)).unwrap().needs_live(), None);
}

//! Scenarios whose locks run on a coordination service.

use lockproof_locks::Coordinator;
use lockproof_rig::{Keeps, ServerEffect};
use lockproof_scenario::{Strategy, resolved};

use crate::support::{read, refused};

/// A scenario of `strategies` with that TTL; what follows begins at line 10.
fn of(strategies: &str, ttl: &str, rest: &str) -> String {
    format!(
        "schema_version = 1\nstrategies = {strategies}\n\n[workload]\nholders = 4\nbookings = 8\n\n[lock]\nttl = \"{ttl}\"\n{rest}"
    )
}

#[test]
fn a_ttl_that_a_service_cannot_count_is_refused_where_it_stands() {
    for ttl in ["300ms", "1s 500ms"] {
        let what = format!(
            "bad.toml:9:7: etcd counts a TTL in multiples of 1s, and {ttl} is none; write one, or leave etcd out"
        );
        refused(&of(r#"["etcd", "etcd+fencing"]"#, ttl, ""), &[&what]);
    }
    assert!(read(&of(r#"["etcd"]"#, "2s", "")).is_ok());
    // Asked for by name on the command line it meets the same.
    let scenario = read(&of(r#"["zookeeper", "redis-set-nx"]"#, "300ms", "")).unwrap();
    let why = scenario.admits(&Strategy::parse("etcd").unwrap()).unwrap_err();
    assert!(why.contains("multiples of 1s"), "{why}");
}

#[test]
fn a_fault_reaches_a_service_that_the_lock_runs_on_and_no_other() {
    let partition = "[[fault]]\nkind = \"partition\"\nlinks = \"etcd\"\nfrom = \"0ms\"\n";
    assert!(read(&of(r#"["etcd"]"#, "1s", partition)).is_ok());
    refused(
        &of(r#"["redis-set-nx"]"#, "1s", partition),
        &["bad.toml:10:1: redis-set-nx has no etcd: its lock does not run on one"],
    );
    refused(
        &of(r#"["zookeeper"]"#, "1s", partition),
        &["bad.toml:10:1: zookeeper has no etcd: its lock does not run on one"],
    );
    for kind in ["lose-reply", "lose-request"] {
        let fault =
            format!("[[fault]]\nkind = \"{kind}\"\nlinks = \"etcd\"\nat = \"before-acquire\"\n");
        let said = read(&of(r#"["etcd"]"#, "1s", &fault)).unwrap_err();
        assert!(said.contains("no proxy reads what is said to etcd"), "{said}");
    }
    for (kind, servers) in [("evict", "etcd"), ("flush-all", "zookeeper")] {
        let fault =
            format!("[[fault]]\nkind = \"{kind}\"\nservers = \"{servers}\"\nfrom = \"0ms\"\n");
        let said = read(&of(r#"["etcd", "zookeeper"]"#, "1s", &fault)).unwrap_err();
        assert!(said.contains(&format!("`{servers}` is no Redis server")), "{said}");
    }
}

#[test]
fn a_service_that_crashes_keeps_what_it_has_agreed_to() {
    let crash = "[[fault]]\nkind = \"crash-server\"\nservers = \"zookeeper\"\nfrom = \"0ms\"\n";
    let scenario = read(&of(r#"["zookeeper"]"#, "300ms", crash)).unwrap();
    let effect = scenario.faults[0].fault.server_effect();
    assert_eq!(effect, Some(ServerEffect::Crash { keeps: Keeps::Everything }));
    let said = read(&of(r#"["zookeeper"]"#, "300ms", &format!("{crash}keeps = \"nothing\"\n")));
    assert!(said.unwrap_err().contains("a coordination service keeps all that it agreed to"));
}

#[test]
fn a_scenario_is_live_only_when_all_of_its_strategies_are() {
    let mixed = read(&of(r#"["etcd", "redis-set-nx"]"#, "1s", "")).unwrap();
    assert_eq!(mixed.needs_live(), None);
    let alone = read(&of(r#"["etcd", "zookeeper+fencing"]"#, "1s", "")).unwrap();
    assert_eq!(
        alone.needs_live().unwrap(),
        "etcd is live only: there is no model of its coordination service"
    );
}

#[test]
fn services_of_others_are_named_and_written_out() {
    let servers = "[servers]\netcd = \"http://h:2379\"\nzookeeper = \"zookeeper://h:2181\"\n";
    let scenario = read(&of(r#"["etcd"]"#, "1s", servers)).unwrap();
    let url = &scenario.external.coordinators[&Coordinator::ZooKeeper];
    assert_eq!(url.to_string(), "zookeeper://h:2181");
    let written = resolved(&scenario);
    assert_eq!(resolved(&read(&written).unwrap()), written);
    let said =
        read(&of(r#"["etcd"]"#, "1s", "[servers]\netcd = \"https://h:2379\"\n")).unwrap_err();
    assert!(said.contains("bad.toml:11:8") && said.contains("http://HOST:PORT"), "{said}");
    let none = lockproof_rig::ExternalServers::default();
    let problems = scenario.problems_on(&none, false);
    assert!(problems[0].to_string().contains("--etcd-url URL, LOCKPROOF_ETCD_URL"));
}

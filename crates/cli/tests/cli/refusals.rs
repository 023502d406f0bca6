//! What can be rejected is rejected before anything starts, with exit code 2.

use crate::{Place, small, stderr};

/// Runs a scenario that cannot be run and gives what was said.
fn refused(text: &str) -> String {
    let place = Place::new();
    place.scenario("bad", text);
    let output = place.lockproof().args(["run", "bad.toml"]).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!place.path().join("reports").exists(), "nothing was started");
    said
}

#[test]
fn an_unknown_key_is_shown_where_it_stands_with_what_was_meant() {
    let said = refused(&small(r#"["none"]"#, "holdrs = 3\n"));
    assert!(said.contains("bad.toml:8:1: unknown key `holdrs`"), "{said}");
    assert!(said.contains("did you mean `holders`?"), "{said}");
}

#[test]
fn an_unknown_strategy_is_shown_where_it_stands_with_what_was_meant() {
    let said = refused(&small(r#"["redlok"]"#, ""));
    assert!(said.contains("bad.toml:2:15: unknown strategy `redlok`"), "{said}");
    assert!(said.contains("did you mean `redlock`?"), "{said}");
}

#[test]
fn redlock_with_fencing_is_refused_with_the_reason() {
    let said = refused(&small(r#"["redlock+fencing"]"#, ""));
    assert!(said.contains("not monotonic across quorums"), "{said}");
}

#[test]
fn a_negative_duration_and_a_ttl_of_nothing_are_refused() {
    let said = refused(&small(r#"["none"]"#, "[lock]\nttl = \"-5ms\"\n"));
    assert!(said.contains("bad.toml:9:7: `-5ms` is negative"), "{said}");
    let said = refused(&small(r#"["none"]"#, "[lock]\nttl = \"0ms\"\n"));
    assert!(said.contains("bad.toml:9:7:") && said.contains("at least 1ms"), "{said}");
}

#[test]
fn a_fault_on_a_link_that_the_provider_lacks_is_refused() {
    let fault = "[[fault]]\nkind = \"partition\"\nlinks = \"database\"\nfrom = \"0ms\"\n";
    let said = refused(&small(r#"["none"]"#, fault));
    assert!(said.contains("--provider process"), "{said}");
}

#[test]
fn a_missing_file_an_empty_directory_and_an_unknown_provider_are_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("empty")).unwrap();
    let good = place.scenario("good", &small(r#"["none"]"#, ""));
    let good = good.to_str().unwrap();
    for (arguments, part) in [
        (vec!["nosuch.toml"], "nosuch.toml: no such scenario"),
        (vec!["empty"], "lockproof new"),
        (vec![good, "--provider", "proces"], "did you mean `process`?"),
        (vec![good, "--strategy", "row-lok"], "did you mean `row-lock`?"),
        (vec![good, "--seed", "0xzz"], "is no seed"),
    ] {
        let output = place.lockproof().arg("run").args(&arguments).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn a_rule_that_could_never_match_is_refused_where_it_says_so() {
    let rule =
        "[[fault]]\nkind = \"rule\"\nlinks = \"redis\"\ncommand = \"STE\"\nthen = \"reset\"\n";
    let said = refused(&small(r#"["redis-set-nx"]"#, rule));
    assert!(said.contains("bad.toml:11:1: `STE` is no command of Redis 7; did you mean"), "{said}");
}

#[test]
fn a_fault_that_only_the_live_world_can_do_is_refused_simulated() {
    let twice = "[[fault]]\nkind = \"rule\"\nlinks = \"redis\"\nthen = \"duplicate\"\n";
    let place = Place::new();
    let path = place.scenario("twice", &small(r#"["redis-set-nx"]"#, twice));
    let output = place.lockproof().arg("run").arg(path).args(["--world", "sim"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = "fault 1 is a rule that duplicates a request, which only the live world can do; use lockproof run";
    assert!(stderr(&output).contains(why), "{}", stderr(&output));
}

#[test]
fn a_fault_that_the_provider_cannot_do_is_refused_alone_and_skipped_among_others() {
    let failover =
        "[[fault]]\nkind = \"failover\"\nfrom = \"1ms\"\nservers = \"redis-1\"\nlag = \"1s\"\n";
    let said = refused(&small(r#"["redis-set-nx"]"#, failover));
    let why = "bad.toml: fault 1 (failover redis-1 lag 1s from 1ms) cannot be done to the servers of the provider embedded: its model has no replica; use --provider process, or --world sim";
    assert!(said.contains(why), "{said}");
    let place = Place::new();
    place.scenario("bad", &small(r#"["redis-set-nx"]"#, failover));
    place.scenario("good", &small(r#"["redis-set-nx"]"#, ""));
    let output = place.lockproof().args(["run", "bad.toml", "good.toml"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("skipped {why}")), "{said}");
}

#[test]
fn a_guard_that_the_database_cannot_have_is_refused_alone_and_skipped_among_others() {
    let why = "advisory-xact is unsupported on sqlite: it has no advisory locks";
    let said = refused(&small(r#"["advisory-xact"]"#, ""));
    assert!(said.contains(why) && said.contains("use --provider process"), "{said}");
    let place = Place::new();
    let path = place.scenario("some", &small(r#"["row-lock", "advisory-xact"]"#, ""));
    let output = place.lockproof().arg("run").arg(&path).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("skipped") && said.contains(why), "{said}");
    let named = ["--strategy", "row-lock,advisory-xact"];
    let output = place.lockproof().arg("run").arg(&path).args(named).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn what_the_embedded_provider_lacks_is_refused_with_who_has_it() {
    for (rest, why) in [
        (
            "[[fault]]\nkind = \"kill-backend\"\nat = \"after-check\"\n",
            "a fault ends a session at the database, and that of the provider embedded is a file; use --provider process",
        ),
        (
            "[database]\nlock-timeout = \"50ms\"\n",
            "[database] limits its sessions, and that of the provider embedded is a file; use --provider process",
        ),
        (
            "[[fault]]\nkind = \"disk-full\"\nfrom = \"0ms\"\n",
            "fault 1 (disk-full from 0s) cannot be done to the servers of the provider embedded: its database is a file and no server; use --provider process",
        ),
        (
            "[servers]\ntopology = \"cluster\"\n",
            "its Redis is a cluster, which the provider embedded does not have: its model is one server; use --provider process",
        ),
    ] {
        let said = refused(&small(r#"["redis-set-nx"]"#, rest));
        assert!(said.contains(&format!("bad.toml: {why}")), "{said}");
    }
}

/// A build with the provider asks an engine instead.
#[test]
fn a_build_without_containers_says_how_to_get_one_with_them() {
    if lockproof_rig::live::HAS_CONTAINERS {
        return;
    }
    let place = Place::new();
    place.scenario("good", &small(r#"["redis-set-nx"]"#, ""));
    let output =
        place.lockproof().args(["run", "good.toml", "--provider", "container"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("--features container"), "{}", stderr(&output));
}

#[test]
fn a_scenario_for_the_other_world_is_refused_with_its_own_reason() {
    let only = |world: &str| {
        let text = small(r#"["redis-set-nx"]"#, "");
        format!("only = \"{world}\"\nbecause = \"it takes a day\"\n{text}")
    };
    let said = refused(&only("sim"));
    assert!(
        said.contains("bad.toml: it is for the simulated world alone: it takes a day"),
        "{said}"
    );
    let place = Place::new();
    place.scenario("bad", &only("live"));
    let output = place.lockproof().args(["explore", "bad.toml"]).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("bad.toml: it is for the live world alone: it takes a day"), "{said}");
}

#[test]
fn a_lock_on_a_service_that_the_provider_lacks_is_refused_or_skipped_among_others() {
    let of_etcd = small(r#"["etcd"]"#, "[lock]\nttl = \"1s\"\n");
    let said = refused(&of_etcd);
    assert!(said.contains("there is no model of one; use --provider process"), "{said}");
    let place = Place::new();
    place.scenario("bad", &of_etcd);
    place.scenario("good", &small(r#"["redis-set-nx"]"#, ""));
    let output = place.lockproof().args(["run", "bad.toml", "good.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("skipped bad.toml: etcd needs a coordination service"));
}

#[test]
fn a_ttl_that_etcd_cannot_count_is_refused_where_it_stands() {
    let said = refused(&small(r#"["etcd"]"#, "[lock]\nttl = \"300ms\"\n"));
    assert!(said.contains("bad.toml:9:7: etcd counts a TTL in multiples of 1s"), "{said}");
}

#[test]
fn a_database_that_cannot_be_had_or_cannot_do_what_is_asked_is_refused() {
    let lock_timeout = "[database]\nlock-timeout = \"50ms\"\n";
    let lost = "[[fault]]\nkind = \"rule\"\nlinks = [\"database\"]\ncommand = \"COMMIT\"\nevery = 2\nthen = \"drop-reply\"\n";
    let full = "[[fault]]\nkind = \"disk-full\"\nfrom = \"0ms\"\nuntil = \"1s\"\n";
    let process = ["--provider", "process", "--database", "mariadb"];
    for (rest, arguments, part) in [
        ("", &["--database", "mariadb"][..], "the provider embedded has no mariadb; it has sqlite"),
        ("", &["--database", "maria"], "unknown database `maria`; did you mean `mariadb`?"),
        ("", &["--database", "mariadb", "--world", "sim"], "a model of Postgres"),
        ("[database]\nengine = \"mysql\"\n", &[], "bad.toml:9:10: unknown database `mysql`"),
        ("[database]\nengine = \"mariadb\"\n", &["--world", "sim"], "of which there is no model"),
        (lock_timeout, &process, "mariadb counts in whole seconds"),
        (lost, &process, "what is said to mariadb is not read"),
        (full, &process, "a disk is filled under Postgres alone"),
        (
            "",
            &["--provider", "external", "--database-url", "postgres://a/b", "--database", "sqlite"],
            "postgres://a/b is named",
        ),
        (
            "",
            &["--provider", "external", "--redis-url", "redis://a", "--database", "postgres"],
            "none is named: --database-url",
        ),
    ] {
        let place = Place::new();
        place.scenario("bad", &small(r#"["none"]"#, rest));
        let output = place.lockproof().args(["run", "bad.toml"]).args(arguments).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert!(!place.path().join("reports").exists(), "nothing was started");
    }
}

//! A Postgres of somebody else.

use super::certificate::Certificate;
use super::theirs::{TheirPostgres, free_port, only};
use super::{Begun, PASSWORD, as_processes, endless, run, said, tells_no_password, unusable};
use crate::{Place, small};

const ROW_LOCK: &str = r#"["row-lock"]"#;

/// Schemas that are none of ours, however much they look like it.
fn schemas_of_others(postgres: &TheirPostgres) -> Vec<String> {
    for schema in ["lockproof", "lockproof_mine", "lockproof_0123456789abcdef"] {
        postgres.say(&format!("CREATE SCHEMA {schema} AUTHORIZATION me"));
    }
    postgres.schemas()
}

#[test]
fn a_run_leaves_nothing_behind_and_tells_no_password() {
    let Some(postgres) = TheirPostgres::start() else { return };
    let others = schemas_of_others(&postgres);
    let place = Place::new();
    let fault =
        "[[fault]]\nkind = \"latency\"\nlinks = \"database\"\ndelay = \"1ms\"\nfrom = \"0ms\"\n";
    place.scenario("fine", &small(r#"["row-lock", "version"]"#, fault));
    let output = run(&place, &["fine.toml", "--database-url", &postgres.url("me"), "-vv"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("default_transaction_isolation read committed"), "{said}");
    assert!(said.contains("bit 2/2"), "the link was disturbed in both cells: {said}");
    assert!(!said.contains(PASSWORD), "{said}");
    tells_no_password(&place.path().join("reports"));
    only(&postgres.schemas(), &others);
}

#[test]
fn a_database_that_cannot_be_used_exits_5_with_what_to_do() {
    let Some(postgres) = TheirPostgres::start() else { return };
    let place = Place::new();
    place.scenario("fine", &small(ROW_LOCK, ""));
    let with_url = |url: &str, parts: &[&str]| {
        unusable(&place, &["fine.toml", "--database-url", url], parts);
    };
    let (dead, port) = (free_port(), postgres.port());
    with_url(
        &format!("postgres://me:{PASSWORD}@127.0.0.1:{dead}/postgres"),
        &[&format!("postgres://me:***@127.0.0.1:{dead}/postgres"), "cannot be reached"],
    );
    with_url(
        &format!("postgres://me:not-{PASSWORD}@127.0.0.1:{port}/postgres"),
        &["refuses the user or the password"],
    );
    with_url(&format!("postgres://me@127.0.0.1:{port}/postgres"), &["asks for a password"]);
    with_url(
        &format!("postgres://me:{PASSWORD}@127.0.0.1:{port}/nowhere"),
        &["no database of that name"],
    );
    with_url(&format!("{}?sslmode=require", postgres.url("me")), &["does not speak TLS"]);
    postgres.say(&format!("CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'"));
    with_url(
        &postgres.url("weak"),
        &["may make no schema", "GRANT CREATE ON DATABASE \"postgres\" TO \"weak\""],
    );
    postgres.say("GRANT CREATE ON DATABASE postgres TO weak");
    postgres.say("ALTER ROLE weak SET default_transaction_read_only = on");
    with_url(&postgres.url("weak"), &["read-only by default"]);
}

#[test]
fn a_killed_run_is_swept_and_neither_the_living_nor_others_are() {
    let Some(postgres) = TheirPostgres::start() else { return };
    let others = schemas_of_others(&postgres);
    let (place, url) = (Place::new(), postgres.url("me"));
    place.scenario("endless", &endless("version"));
    let arguments = ["endless.toml", "--database-url", &url];
    let begun = Begun::run(&place, &arguments);
    let left = postgres.schemas_of_runs(1, &others);
    begun.kill();
    postgres.until_alone();
    // The next run sweeps at its start, before it makes its own.
    let living = Begun::run(&place, &arguments);
    let both: Vec<_> = others.iter().chain(&left).cloned().collect();
    let of_the_living = postgres.schemas_of_runs(1, &both);
    assert!(!postgres.schemas().contains(&left[0]), "{:?}", postgres.schemas());
    let sweep = || {
        let mut command = place.lockproof();
        command.args(["doctor", "--sweep", "--database-url", &url]).output().unwrap()
    };
    assert!(said(&sweep()).contains("nothing of killed runs was left"), "{}", said(&sweep()));
    assert!(postgres.schemas().contains(&of_the_living[0]), "the living run keeps its schema");
    living.kill();
    postgres.until_alone();
    let swept = sweep();
    assert!(said(&swept).contains("removed 0 keys and 1 schema"), "{}", said(&swept));
    only(&postgres.schemas(), &others);
}

#[test]
fn an_interrupted_run_takes_its_schema_with_it() {
    let Some(postgres) = TheirPostgres::start() else { return };
    let place = Place::new();
    place.scenario("endless", &endless("row-lock"));
    let begun = Begun::run(&place, &["endless.toml", "--database-url", &postgres.url("me")]);
    postgres.schemas_of_runs(1, &[]);
    assert_eq!(begun.interrupt(), Some(130));
    only(&postgres.schemas(), &[]);
}

#[test]
fn a_server_behind_tls_is_used_and_its_certificate_is_looked_at() {
    let Some(postgres) = TheirPostgres::start() else { return };
    let Some(certificate) = Certificate::make() else { return };
    certificate.hand_to(&postgres.directory());
    for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"] {
        postgres.say(&format!("ALTER SYSTEM SET {setting}"));
    }
    // From here on nobody but its owner is let in without TLS.
    postgres.admit(
        "host all lockproof 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
    );
    let place = Place::new();
    let fault =
        "[[fault]]\nkind = \"latency\"\nlinks = \"database\"\ndelay = \"1ms\"\nfrom = \"0ms\"\n";
    place.scenario("fine", &small(ROW_LOCK, fault));
    place.scenario("apart", &as_processes(&small(ROW_LOCK, fault)));
    let by = |host: &str, query: &str| {
        let port = postgres.port();
        format!("postgres://me:{PASSWORD}@{host}:{port}/postgres?{query}")
    };
    let root = format!("sslrootcert={}", certificate.text("ca.pem"));
    let with_url = |url: &str, parts: &[&str]| {
        unusable(&place, &["fine.toml", "--database-url", url], parts);
    };
    with_url(&by("localhost", "sslmode=disable"), &["lets this user not in"]);
    with_url(&by("localhost", "sslmode=verify-full"), &["not trusted", "sslrootcert"]);
    with_url(&by("127.0.0.1", &format!("sslmode=verify-full&{root}")), &["not trusted"]);
    with_url(&by("localhost", "sslmode=verify-ca&sslrootcert=/no/such.pem"), &["/no/such.pem"]);
    for url in [
        by("localhost", ""),
        by("127.0.0.1", "sslmode=require"),
        by("127.0.0.1", &format!("sslmode=verify-ca&{root}")),
        by("localhost", &format!("sslmode=verify-full&{root}")),
    ] {
        for scenario in ["fine.toml", "apart.toml"] {
            let output = run(&place, &[scenario, "--database-url", &url]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(0), "{said}");
            assert!(said.contains("bit 1/1"), "through a proxy, under its own name: {said}");
            assert!(!said.contains(PASSWORD), "{said}");
        }
    }
    only(&postgres.schemas(), &[]);
}

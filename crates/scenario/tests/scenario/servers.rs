//! `[servers]`, and what may not be done to servers that others use.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_faults::{Fault, Injection, Lasts, Occasion, Reach};
use lockproof_rig::{ExternalServers, Rig, RigError};
use lockproof_scenario::{Scenario, resolved};

use crate::support::{FINE, read, refused, with, with_fault};

fn servers(redis: &[&str], database: Option<&str>) -> ExternalServers {
    ExternalServers {
        redis: redis.iter().map(|url| url.parse().expect("a URL")).collect(),
        database: database.map(|url| url.parse().expect("a URL")),
        ..ExternalServers::default()
    }
}

fn said(scenario: &Scenario, servers: &ExternalServers, destructive: bool) -> Vec<String> {
    let problems = scenario.problems_on(servers, destructive);
    problems.iter().map(ToString::to_string).collect()
}

const FIVE: [&str; 5] = ["redis://a", "redis://b", "redis://c", "redis://d", "redis://e"];

#[test]
fn servers_are_read_and_shown_without_their_passwords() {
    let text = format!(
        "{FINE}\n[servers]\nredis = [\"redis://:s3cret@a\", \"rediss://b#insecure\"]\ndatabase = \"postgres://me:s3cret@db/shop\"\n"
    );
    let scenario = read(&text).unwrap();
    let named = servers(
        &["redis://:s3cret@a", "rediss://b#insecure"],
        Some("postgres://me:s3cret@db/shop"),
    );
    assert_eq!(scenario.external, named);
    let text = resolved(&scenario);
    assert!(text.contains("redis = [\"redis://:***@a\", \"rediss://b#insecure\"]"), "{text}");
    assert!(text.contains("database = \"postgres://me:***@db/shop\""), "{text}");
    assert!(!format!("{text}{scenario:?}").contains("s3cret"));
    read(&text).unwrap();
}

#[test]
fn a_url_that_is_none_is_placed_and_its_password_hidden() {
    let lines = |lines: &str| format!("{FINE}\n[servers]\n{lines}\n");
    refused(
        &lines("redis = [\"redis://a\", \"redis://:s3cret\"]"),
        &[
            "bad.toml:12:23: `redis://***` is no URL that can be used: Redis URL did not parse - InvalidClientConfig; write redis://[USER]:PASSWORD@HOST:PORT/DB, rediss:// for TLS, or unix:///PATH",
        ],
    );
    refused(
        &lines("redis = [\"redis://a\", \"redis://a:6379/0\"]"),
        &["bad.toml:12:23: redis://a:6379/0 is named twice, and a quorum would count it twice"],
    );
    refused(
        &lines("database = \"mysql://me:s3cret@db\""),
        &[
            "bad.toml:12:12: `mysql://***` is no URL that can be used: a MariaDB of somebody else is not run on yet; --provider process --database mariadb starts one; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=prefer",
        ],
    );
    refused(
        &lines("database = \"postgres://db/shop?sslmode=allow\""),
        &[
            "bad.toml:12:12: `postgres://***` is no URL that can be used: sslmode is disable, prefer, require, verify-ca or verify-full; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=prefer",
        ],
    );
    refused(
        &lines("redis_url = \"redis://a\""),
        &["bad.toml:12:1: unknown key `redis_url` in [servers]; available:"],
    );
}

#[test]
fn too_few_servers_are_said_with_how_many_are_needed() {
    let scenario = read(FINE).unwrap();
    assert_eq!(
        said(&scenario, &servers(&FIVE[..2], None), false),
        [
            "bad.toml: redlock needs 5 Redis servers, and 2 are named; name 5: --redis-url URL,…, LOCKPROOF_REDIS_URLS, or [servers] in the scenario"
        ]
    );
    assert_eq!(said(&scenario, &servers(&FIVE, None), false), [""; 0]);
    let three = read(&with("ttl = \"250ms\"", "ttl = \"250ms\"\nservers = 3")).unwrap();
    assert_eq!(said(&three, &servers(&FIVE[..3], None), false), [""; 0]);
}

#[test]
fn a_fault_on_a_link_that_no_proxy_can_stand_in_for_is_placed_with_the_reason() {
    let fault = |links: &str| {
        let fields = format!("kind = \"partition\"\nlinks = \"{links}\"\nfrom = \"1s\"");
        // Alone, since a minority of one server is none.
        read(&with_fault(&fields).replace("\"redis-set-nx\", ", "")).unwrap()
    };
    let mut urls = FIVE;
    urls[4] = "rediss://:s3cret@e";
    let mixed = servers(&urls, Some("postgres:///shop?host=/run/postgresql"));
    assert_eq!(said(&fault("redis-minority"), &mixed, false), [""; 0], "the first two are plain");
    assert_eq!(
        said(&fault("redis"), &mixed, false),
        [
            "bad.toml:12:1: partition would never bite: rediss://:***@e speaks TLS, and a proxy would have to show its certificate; name a port without TLS"
        ]
    );
    assert_eq!(
        said(&fault("database"), &mixed, false),
        [
            "bad.toml:12:1: partition would never bite: postgres:///shop?host=/run/postgresql is reached over a socket file, which no proxy can stand in for"
        ]
    );
    assert_eq!(
        said(&fault("database"), &servers(&FIVE, None), false),
        [
            "bad.toml:12:1: partition would never bite: bookings go to the embedded database, which has no link; name a Postgres: --database-url"
        ]
    );
}

#[test]
fn what_would_harm_others_is_refused_unless_it_is_asked_for_twice() {
    let fault = "kind = \"expire-lock\"\nat = \"after-check\"";
    let mut scenario = read(&with_fault(fault)).unwrap();
    let named = servers(&FIVE, None);
    assert_eq!(said(&scenario, &named, false), [""; 0], "it deletes the run's own key alone");
    scenario.faults[0].fault = Arc::new(Flush);
    scenario.faults[0].kind = "flush";
    assert_eq!(
        said(&scenario, &named, false),
        [
            "bad.toml:12:1: flush empties the whole server, and others may use these servers; if none does, say so: --allow-destructive"
        ]
    );
    assert_eq!(said(&scenario, &named, true), [""; 0]);
}

/// Stands for the faults to come.
#[derive(Debug)]
struct Flush;

impl Fault for Flush {
    fn label(&self) -> String {
        "flush".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::LockOfHolder
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn harms_others(&self) -> Option<&'static str> {
        Some("empties the whole server")
    }

    fn inject<'a>(
        &'a self,
        _rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        std::future::ready(Err(RigError::new("it is never injected"))).boxed()
    }
}

//! What is refused before a server is looked at.

use super::{PASSWORD, run, said};
use crate::{Place, small};

fn refused(text: &str, arguments: &[&str], part: &str) {
    let place = Place::new();
    place.scenario("bad", text);
    let output = run(&place, &[&["bad.toml"], arguments].concat());
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(part), "no {part:?} in {said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

#[test]
fn servers_have_to_be_named_and_enough_of_them() {
    let one = small(r#"["redis-set-nx"]"#, "");
    refused(&one, &[], "--redis-url URL");
    refused(
        &small(r#"["redlock"]"#, ""),
        &["--redis-url", "redis://a,redis://b"],
        "bad.toml: redlock needs 5 Redis servers, and 2 are named",
    );
    refused(
        &one,
        &["--database-url", "postgres://a/b"],
        "redis-set-nx needs 1 Redis server, and 0 are named",
    );
    refused(&one, &["--redis-url", "redis://a,redis://a/0"], "named twice");
}

#[test]
fn a_url_that_is_none_is_refused_and_its_password_hidden() {
    let one = small(r#"["redis-set-nx"]"#, "");
    let wrong = format!("redis://:{PASSWORD}");
    refused(&one, &["--redis-url", &wrong], "--redis-url: `redis://***` is no URL");
    let wrong = format!("postgres://me:{PASSWORD}@db/shop?sslmode=allow");
    refused(&one, &["--database-url", &wrong], "sslmode is disable, prefer, require");
    let wrong = format!("[servers]\nredis = [\"redis://:{PASSWORD}\"]\n");
    refused(&format!("{one}{wrong}"), &[], "bad.toml:9:10: `redis://***` is no URL");
}

#[test]
fn a_fault_on_a_link_that_cannot_be_disturbed_is_refused_where_it_stands() {
    let fault = "[[fault]]\nkind = \"partition\"\nlinks = \"redis\"\nfrom = \"0ms\"\n";
    let text = small(r#"["redis-set-nx"]"#, fault);
    refused(
        &text,
        &["--redis-url", "rediss://a"],
        "bad.toml:9:1: partition would never bite: rediss://a speaks TLS",
    );
    refused(&text, &["--redis-url", "unix:///run/r.sock"], "socket file");
}

#[test]
fn urls_for_a_provider_that_starts_its_own_servers_are_refused() {
    let place = Place::new();
    place.scenario("good", &small(r#"["none"]"#, ""));
    let arguments = ["run", "good.toml", "--redis-url", "redis://a"];
    let output = place.lockproof().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("add --provider external"), "{}", said(&output));
}

#[test]
fn scenarios_that_name_different_servers_are_not_run_at_once() {
    let place = Place::new();
    let text = small(r#"["redis-set-nx"]"#, "");
    place.scenario("one", &format!("{text}[servers]\nredis = [\"redis://a\"]\n"));
    place.scenario("two", &format!("{text}[servers]\nredis = [\"redis://b\"]\n"));
    let output = run(&place, &["one.toml", "two.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("name different [servers]"), "{}", said(&output));
}

#[test]
fn a_sweep_has_to_be_told_where() {
    let place = Place::new();
    let output = place.lockproof().args(["doctor", "--sweep"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--redis-url"), "{}", said(&output));
}

#[test]
fn the_help_shows_no_urls_of_the_environment() {
    let place = Place::new();
    let mut command = place.lockproof();
    command.env("LOCKPROOF_REDIS_URLS", format!("redis://:{PASSWORD}@a"));
    command.env("LOCKPROOF_DATABASE_URL", format!("postgres://me:{PASSWORD}@a/b"));
    let output = command.args(["run", "--help"]).output().unwrap();
    let said = said(&output);
    assert!(said.contains("LOCKPROOF_REDIS_URLS") && !said.contains(PASSWORD), "{said}");
}

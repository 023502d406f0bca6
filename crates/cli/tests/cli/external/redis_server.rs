//! Redis servers of somebody else.

use std::process::{Command, Stdio};

use super::certificate::Certificate;
use super::theirs::{TheirRedis, free_port, only};
use super::{Begun, PASSWORD, as_processes, endless, run, said, tells_no_password, unusable};
use crate::{Place, small};

const FENCED: &str = r#"["redis-set-nx+fencing"]"#;

/// Puts keys there that are none of ours, however much they look like it.
fn keys_of_others(redis: &TheirRedis) -> Vec<String> {
    for key in [
        "lockproof:mine",
        "lockproof:0123456789abcdef",
        "lockproof:0123456789abcdef:mine",
        "booking_lock:seat-1",
    ] {
        let () = redis.ask(&["SET", key, "theirs"]);
    }
    redis.keys()
}

#[test]
fn a_run_leaves_nothing_behind_and_tells_no_password() {
    let Some(redis) = TheirRedis::start(5) else { return };
    let others = keys_of_others(&redis);
    let place = Place::new();
    place.scenario("fine", &small(r#"["redis-set-nx+fencing", "redlock"]"#, ""));
    let output = run(&place, &["fine.toml", "--redis-url", &redis.urls(), "-vv"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("maxmemory-policy noeviction"), "{said}");
    assert!(said.contains("sqlite: chosen since no database URL was given"), "{said}");
    assert!(said.contains("--redis-url 'redis://:***@127.0.0.1:"), "the command again: {said}");
    assert!(!said.contains(PASSWORD), "{said}");
    tells_no_password(&place.path().join("reports"));
    only(&redis.keys(), &others);
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    assert_eq!(results["cells"][1]["servers"][0]["settings"][0]["name"], "maxmemory-policy");
}

#[test]
fn servers_of_the_environment_and_of_the_scenario_do_as_well() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let (place, url) = (Place::new(), redis.url(0));
    let servers = format!("[servers]\nredis = [\"{url}\"]\n");
    place.scenario("named", &small(r#"["redis-set-nx"]"#, &servers));
    let output = run(&place, &["named.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // The environment comes before the scenario, and the flags before both.
    let dead = format!("redis://127.0.0.1:{}", free_port());
    let mut command = place.lockproof();
    command.args(["run", "named.toml", "--provider", "external"]);
    let output = command.env("LOCKPROOF_REDIS_URLS", &dead).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let output = command.args(["--redis-url", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    tells_no_password(&place.path().join("reports"));
}

#[test]
fn a_server_that_cannot_be_used_exits_5_with_what_to_do() {
    let Some(redis) = TheirRedis::start(2) else { return };
    let place = Place::new();
    place.scenario("fine", &small(r#"["redis-set-nx"]"#, ""));
    let port = redis.port(0);
    let with_url = |url: &str, parts: &[&str]| {
        unusable(&place, &["fine.toml", "--redis-url", url], parts);
    };
    let dead = free_port();
    with_url(
        &format!("redis://:{PASSWORD}@127.0.0.1:{dead}"),
        &[&format!("redis://:***@127.0.0.1:{dead}"), "cannot be reached"],
    );
    with_url(
        &format!("redis://:not-{PASSWORD}@127.0.0.1:{port}"),
        &["refuses the user or the password"],
    );
    with_url(&redis.address(0), &["asks for a password", "redis://:PASSWORD@HOST"]);
    let twice = format!("{},redis://:{PASSWORD}@localhost:{port}", redis.url(0));
    with_url(&twice, &["the same server"]);
    let () = redis.ask(&[
        "ACL",
        "SETUSER",
        "reader",
        "on",
        &format!(">{PASSWORD}"),
        "~*",
        "+@read",
        "+info",
        "+client",
    ]);
    with_url(&format!("redis://reader:{PASSWORD}@127.0.0.1:{port}"), &["its user may not"]);
    let () = redis.ask(&["REPLICAOF", "127.0.0.1", &redis.port(1).to_string()]);
    with_url(&redis.url(0), &["it is a replica of 127.0.0.1", "name the primary"]);
    let doctor = place.lockproof().args(["doctor", "--redis-url", &redis.urls()]).output().unwrap();
    let said = said(&doctor);
    assert_eq!(doctor.status.code(), Some(5), "{said}");
    assert!(said.contains("name the primary") && said.contains("ok redis://:***@"), "{said}");
}

#[test]
fn settings_that_lose_locks_are_warned_of_and_forbidden_ones_are_unknown() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let place = Place::new();
    let () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "100mb"]);
    let allowed = format!(">{PASSWORD}");
    let () = redis.ask(&[
        "ACL",
        "SETUSER",
        "tenant",
        "on",
        &allowed,
        "~lockproof:*",
        "+@read",
        "+@write",
        "+@scripting",
        "+info",
        "+client",
    ]);
    place.scenario("fine", &small(FENCED, ""));
    let url = format!("redis://tenant:{PASSWORD}@127.0.0.1:{}", redis.port(0));
    let output = run(&place, &["fine.toml", "--redis-url", &url]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("maxmemory-policy is allkeys-lru: once its memory is full it evicts"),
        "{said}"
    );
    let results =
        std::fs::read_to_string(place.path().join("reports/latest/results.json")).unwrap();
    assert!(results.contains("unknown (CONFIG is not allowed)"), "{results}");
}

#[test]
fn a_killed_run_is_swept_and_neither_the_living_nor_others_are() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let others = keys_of_others(&redis);
    let (place, url) = (Place::new(), redis.url(0));
    place.scenario("endless", &endless("redis-set-nx+fencing"));
    place.scenario("brief", &small(FENCED, ""));
    let dead = Begun::run(&place, &["endless.toml", "--redis-url", &url]);
    let left = redis.keys_of_runs(&others);
    dead.kill();
    redis.until_alone();
    let run_of = |key: &String| key.split(':').nth(1).unwrap().to_owned();
    let dead_run = run_of(&left[0]);
    // Born among the leavings of the dead, which its own start sweeps.
    let living = Begun::run(&place, &["endless.toml", "--redis-url", &url]);
    let with_the_dead: Vec<_> = others
        .iter()
        .cloned()
        .chain(left)
        .chain(redis.keys().into_iter().filter(|key| run_of(key) == dead_run))
        .collect();
    let of_the_living = redis.keys_of_runs(&with_the_dead);
    assert!(redis.keys().iter().all(|key| run_of(key) != dead_run), "{:?}", redis.keys());
    let sweep =
        || place.lockproof().args(["doctor", "--sweep", "--redis-url", &url]).output().unwrap();
    let swept = sweep();
    assert_eq!(swept.status.code(), Some(0));
    assert!(said(&swept).contains("nothing of killed runs was left"), "{}", said(&swept));
    let counter = of_the_living.iter().find(|key| key.ends_with(":fence")).unwrap();
    assert!(redis.keys().contains(counter), "the living run keeps its keys");
    // Its session is gone for a moment: it opens another before the sweep has looked twice.
    let killed: u32 = redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert!(killed >= 2, "its session and its lock's connection");
    assert!(said(&sweep()).contains("nothing of killed runs was left"), "{}", said(&sweep()));
    assert!(redis.keys().contains(counter), "the living run keeps its keys");
    living.kill();
    redis.until_alone();
    let swept = sweep();
    assert!(said(&swept).contains("that killed runs had left"), "{}", said(&swept));
    only(&redis.keys(), &others);
}

#[test]
fn a_server_that_goes_away_during_a_run_is_no_pass() {
    let Some(mut redis) = TheirRedis::start(1) else { return };
    let place = Place::new();
    let text = endless("redis-set-nx+fencing").replace("60s", "2s");
    place.scenario("bereft", &text);
    let begun = Begun::run(&place, &["bereft.toml", "--redis-url", &redis.url(0)]);
    redis.keys_of_runs(&[]);
    redis.stop();
    assert_eq!(begun.end(), Some(5));
    let results =
        std::fs::read_to_string(place.path().join("reports/latest/results.json")).unwrap();
    assert!(results.contains("keys from redis://:***@127.0.0.1:"), "{results}");
}

#[test]
fn an_interrupted_run_takes_its_keys_with_it() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let others = keys_of_others(&redis);
    let place = Place::new();
    place.scenario("endless", &endless("redis-set-nx+fencing"));
    let begun = Begun::run(&place, &["endless.toml", "--redis-url", &redis.url(0)]);
    redis.keys_of_runs(&others);
    assert_eq!(begun.interrupt(), Some(130));
    only(&redis.keys(), &others);
    assert!(place.path().join("reports/latest/results.json").is_file());
}

#[test]
fn links_to_a_server_with_a_password_can_be_disturbed() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let place = Place::new();
    let fault =
        "[[fault]]\nkind = \"latency\"\nlinks = \"redis\"\ndelay = \"1ms\"\nfrom = \"0ms\"\n";
    place.scenario("slow", &small(FENCED, fault));
    let output = run(&place, &["slow.toml", "--redis-url", &redis.url(0)]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("bit 1/1"), "{}", said(&output));
}

#[test]
fn a_server_behind_tls_is_used_and_its_certificate_is_looked_at() {
    let Some(redis) = TheirRedis::start(1) else { return };
    let Some(certificate) = Certificate::make() else { return };
    let (place, port) = (Place::new(), free_port().to_string());
    let (pem, key) = (certificate.text("server.pem"), certificate.text("server.key"));
    let () = redis.ask(&[
        "CONFIG",
        "SET",
        "tls-cert-file",
        &pem,
        "tls-key-file",
        &key,
        "tls-auth-clients",
        "no",
        "tls-port",
        &port,
    ]);
    place.scenario("fine", &small(FENCED, ""));
    let url = format!("rediss://:{PASSWORD}@localhost:{port}");
    unusable(
        &place,
        &["fine.toml", "--redis-url", &url],
        &["not trusted", "SSL_CERT_FILE", "#insecure"],
    );
    place.scenario("apart", &as_processes(&small(FENCED, "")));
    for scenario in ["fine.toml", "apart.toml"] {
        let unverified = run(&place, &[scenario, "--redis-url", &format!("{url}/#insecure")]);
        assert_eq!(unverified.status.code(), Some(0), "{}", said(&unverified));
        let mut command = place.lockproof();
        command.args(["run", "--provider", "external", scenario, "--redis-url", &url]);
        let verified = command.env("SSL_CERT_FILE", certificate.path("ca.pem")).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    }
    only(&redis.keys(), &[]);
    let plain = format!("rediss://:{PASSWORD}@localhost:{}#insecure", redis.port(0));
    let wrong = run(&place, &["fine.toml", "--redis-url", &plain]);
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
}

#[test]
fn a_server_behind_a_socket_file_is_used() {
    let Some(_) = TheirRedis::start(1) else { return };
    let place = Place::new();
    place.scenario("fine", &small(FENCED, ""));
    let socket = place.path().join("redis.sock");
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--requirepass", PASSWORD, "--unixsocket"]);
    command.arg(&socket).current_dir(place.path()).stdout(Stdio::null());
    let server = Begun(command.spawn().unwrap());
    while !socket.exists() {
        std::thread::yield_now();
    }
    let url = format!("unix://{}?pass={PASSWORD}", socket.display());
    let output = run(&place, &["fine.toml", "--redis-url", &url]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains(PASSWORD), "{}", said(&output));
    drop(server);
}

//! redis-benchmark, which comes with redis-server.

use std::process::Command;

use crate::models::Models;
use crate::programs::{is_here, skip, succeed};

const REQUESTS: &str = "2000";

#[test]
fn redis_benchmark_s_own_tests_finish_without_an_error() {
    let Some(printed) = benchmark(&["-t", "ping,set,get,incr"]) else { return };
    for test in ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"] {
        assert!(printed.contains(&format!("{test}: ")), "{test} is missing in {printed}");
    }
}

#[test]
fn redis_benchmark_runs_the_release_script_by_its_digest() {
    let digest = ["EVALSHA", &release_script().get_hash().to_owned(), "1"].map(str::to_owned);
    let words = digest.iter().map(String::as_str).chain(["key:__rand_int__", "owner"]);
    let words: Vec<&str> = words.collect();
    let Some(printed) = benchmark(&words) else { return };
    assert!(printed.contains("EVALSHA"), "{printed}");
}

/// What redis-benchmark prints, several clients at once, with and without pipelining; `None` where there is none.
fn benchmark(what: &[&str]) -> Option<String> {
    if !is_here("redis-benchmark") {
        skip("redis-benchmark", "it is not on PATH");
        return None;
    }
    let models = Models::serve(1);
    let client = redis::Client::open(models.urls().remove(0)).expect("a URL");
    let mut connection = client.get_connection().expect("the model listens");
    release_script().prepare_invoke().load(&mut connection).expect("it is Lua");
    let mut printed = String::new();
    for pipeline in ["1", "16"] {
        let mut command = Command::new("redis-benchmark");
        command.args(["-p", &models.ports[0].to_string(), "-n", REQUESTS, "-c", "20"]);
        command.args(["-P", pipeline, "-r", "1000", "-q"]).args(what);
        let once = succeed(&mut command);
        assert!(!once.to_lowercase().contains("err"), "{once}");
        printed += &once;
    }
    redis::cmd("PING").exec(&mut connection).expect("it still answers");
    Some(printed)
}

fn release_script() -> redis::Script {
    redis::Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    )
}

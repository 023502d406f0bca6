use std::time::Duration;

use bytes::Bytes;
use lockproof_redis_model::{Execution, Reply};

use crate::support::{Bench, show};

#[test]
fn a_password_is_asked_of_new_sessions() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("AUTH x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"),
        ("AUTH default x", "+OK"),
        ("CONFIG SET requirepass secret", "+OK"),
        ("PING", "+PONG"),
    ]);
    bench.session = bench.server.open_session();
    bench.expect(&[
        ("PING", "-NOAUTH Authentication required."),
        ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."),
        ("AUTH other secret", "-WRONGPASS invalid username-password pair or user is disabled."),
        (
            "HELLO 3 AUTH default wrong",
            "-WRONGPASS invalid username-password pair or user is disabled.",
        ),
        ("PING", "-NOAUTH Authentication required."),
        ("AUTH secret", "+OK"),
        ("PING", "+PONG"),
        ("RESET", "+RESET"),
        ("GET k", "-NOAUTH Authentication required."),
    ]);
    assert!(show(&bench.run("HELLO 3")).starts_with("-NOAUTH HELLO must be called"));
    assert!(show(&bench.run("HELLO 3 AUTH default secret SETNAME me")).starts_with('{'));
    bench.expect(&[("CLIENT GETNAME", "\"me\"")]);
}

#[test]
fn config_knows_what_it_honours() {
    Bench::new().expect(&[
        ("CONFIG GET max*", "{\"maxmemory\"=\"0\" \"maxmemory-policy\"=\"noeviction\"}"),
        ("CONFIG SET maxmemory 0", "+OK"),
        (
            "CONFIG SET nosuch 1",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
        ),
        (
            "CONFIG SET requirepass a nosuch 1",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
        ),
        ("CONFIG GET requirepass", "{\"requirepass\"=\"\"}"),
        ("CONFIG RESETSTAT", "+OK"),
    ]);
}

/// Each replica is late by its own lag; WAIT is over once enough of them have what was written, or with its time.
#[test]
fn wait_counts_the_replicas_that_have_what_was_written() {
    let mut bench = Bench::new();
    bench.expect(&[("WAIT 0 0", ":0"), ("WAIT 1 -1", "-ERR timeout is negative")]);
    bench.server.set_replica_lags(vec![Duration::from_millis(200), Duration::ZERO]);
    bench.expect(&[("SET a 1", "+OK"), ("WAIT 1 0", ":1")]);
    for (wanted, timeout, later, count) in [(2, 500, 200, 2), (2, 100, 100, 1), (3, 300, 300, 2)] {
        bench.run("SET a 2");
        let wait = ["WAIT".to_owned(), wanted.to_string(), timeout.to_string()];
        let wait = wait.map(Bytes::from);
        let answer = bench.server.execute(&mut bench.session, &wait, bench.now);
        let until = bench.now.after(Duration::from_millis(later));
        assert_eq!(answer, Execution::Blocked { until: Some(until) });
        assert_eq!(bench.server.resume(&mut bench.session, bench.now), None);
        let reply = bench.server.resume(&mut bench.session, until);
        assert_eq!(reply, Some(Reply::Integer(count)), "WAIT {wanted} {timeout}");
        bench.now = until;
    }
    // Inside a transaction there is no waiting.
    bench.expect(&[("MULTI", "+OK"), ("SET a 3", "+QUEUED"), ("WAIT 2 0", "+QUEUED")]);
    bench.expect(&[("EXEC", "[+OK :1]")]);
}

#[test]
fn commands_are_described() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("COMMAND INFO get nosuch", "[[\"get\" :2 ~[+readonly +fast] :1 :1 :1] nil]"),
        ("COMMAND DOCS get nosuch", "{\"get\"={\"arity\"=:2}}"),
    ]);
    assert!(
        show(&bench.run("COMMAND COUNT")).trim_start_matches(':').parse::<u32>().unwrap() > 100
    );
}

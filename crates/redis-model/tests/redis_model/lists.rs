use std::time::Duration;

use lockproof_redis_model::{Execution, Session, WallClock};

use crate::support::{Bench, show, words};

#[test]
fn lists_are_pushed_and_popped_at_both_ends() {
    Bench::new().expect(&[
        ("RPUSH l b c", ":2"),
        ("LPUSH l a", ":3"),
        ("LRANGE l 0 -1", "[\"a\" \"b\" \"c\"]"),
        ("LRANGE l -2 100", "[\"b\" \"c\"]"),
        ("LINDEX l -1", "\"c\""),
        ("LINDEX l 3", "nil"),
        ("LLEN l", ":3"),
        ("LPOP l", "\"a\""),
        ("RPOP l 5", "[\"c\" \"b\"]"),
        ("EXISTS l", ":0"),
        ("LPOP l", "nil"),
        ("LPOP l 0", "nil"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
    ]);
}

#[test]
fn elements_are_removed_from_either_end() {
    let mut bench = Bench::new();
    bench.run("RPUSH l a b a c a");
    bench.expect(&[
        ("LREM l -1 a", ":1"),
        ("LRANGE l 0 -1", "[\"a\" \"b\" \"a\" \"c\"]"),
        ("LREM l 1 a", ":1"),
        ("LRANGE l 0 -1", "[\"b\" \"a\" \"c\"]"),
        ("LREM l 0 nothing", ":0"),
    ]);
}

/// A second session of a bench's server.
fn execute(bench: &mut Bench, session: &mut Session, line: &str) -> Execution {
    bench.server.execute(session, &words(line), bench.now)
}

#[test]
fn a_blocked_session_gets_what_another_pushes_and_the_first_to_wait_gets_it_first() {
    let mut bench = Bench::new();
    let (mut first, mut second) = (bench.server.open_session(), bench.server.open_session());
    for session in [&mut first, &mut second] {
        let blocked = bench.server.execute(session, &words("BLPOP a b 0"), bench.now);
        assert_eq!(blocked, Execution::Blocked { until: None });
    }
    assert_eq!(bench.server.resume(&mut first, bench.now), None);
    bench.expect(&[("RPUSH b 1", ":1"), ("EXISTS b", ":0")]);
    let given = bench.server.resume(&mut first, bench.now).map(|reply| show(&reply));
    assert_eq!(given.as_deref(), Some("[\"b\" \"1\"]"));
    assert_eq!(bench.server.resume(&mut second, bench.now), None);
    drop(second);
    bench.expect(&[("RPUSH b 2", ":1"), ("LLEN b", ":1")]);
    assert!(!first.is_blocked());
    assert_eq!(show(&execute(&mut bench, &mut first, "BRPOP b 0").into_reply()), "[\"b\" \"2\"]");
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let mut bench = Bench::new();
    let mut waiting = bench.server.open_session();
    let until = bench.now.after(Duration::from_millis(1_500));
    let blocked = execute(&mut bench, &mut waiting, "BLPOP l 1.5");
    assert_eq!(blocked, Execution::Blocked { until: Some(until) });
    bench.pass(1_499);
    assert_eq!(bench.server.resume(&mut waiting, bench.now), None);
    bench.pass(1);
    let over = bench.server.resume(&mut waiting, bench.now).map(|reply| show(&reply));
    assert_eq!(over.as_deref(), Some("nil"));
    bench.expect(&[
        ("RPUSH l a", ":1"),
        ("LLEN l", ":1"),
        ("BLPOP l x", "-ERR timeout is not a float or out of range"),
        ("BLPOP l -1", "-ERR timeout is negative"),
    ]);
}

#[test]
fn inside_a_transaction_nothing_blocks_and_a_push_is_seen_at_its_end_only() {
    let mut bench = Bench::new();
    let mut waiting = bench.server.open_session();
    execute(&mut bench, &mut waiting, "BLPOP l 0");
    bench.expect(&[
        ("MULTI", "+OK"),
        ("BLPOP nothing 0", "+QUEUED"),
        ("RPUSH l a", "+QUEUED"),
        ("DEL l", "+QUEUED"),
        ("EXEC", "[nil :1 :1]"),
    ]);
    assert_eq!(bench.server.resume(&mut waiting, bench.now), None);
    assert_eq!(bench.server.next_expiry(), None::<WallClock>);
}

use crate::support::{Bench, show, words};

fn pushes(bench: &mut Bench) -> Vec<String> {
    bench.session.take_pushes().iter().map(show).collect()
}

/// Done by somebody else, who hears nothing.
fn by_another(bench: &mut Bench, line: &str) -> String {
    let mut other = bench.server.open_session();
    show(&bench.server.execute(&mut other, &words(line), bench.now).into_reply())
}

#[test]
fn subscribers_hear_what_is_published() {
    let mut bench = Bench::new();
    bench.run("SUBSCRIBE news");
    bench.run("PSUBSCRIBE n*");
    assert_eq!(pushes(&mut bench), [">[\"subscribe\" \"news\" :1]", ">[\"psubscribe\" \"n*\" :2]"]);
    assert_eq!(by_another(&mut bench, "PUBLISH news hi"), ":2");
    assert_eq!(by_another(&mut bench, "PUBLISH other hi"), ":0");
    assert_eq!(
        pushes(&mut bench),
        [">[\"message\" \"news\" \"hi\"]", ">[\"pmessage\" \"n*\" \"news\" \"hi\"]"]
    );
    assert_eq!(by_another(&mut bench, "PUBSUB CHANNELS"), "[\"news\"]");
    assert_eq!(by_another(&mut bench, "PUBSUB NUMSUB news other"), "[\"news\" :1 \"other\" :0]");
    assert_eq!(by_another(&mut bench, "PUBSUB NUMPAT"), ":1");
    bench.run("UNSUBSCRIBE");
    bench.run("PUNSUBSCRIBE");
    bench.run("UNSUBSCRIBE");
    assert_eq!(
        pushes(&mut bench),
        [
            ">[\"unsubscribe\" \"news\" :1]",
            ">[\"punsubscribe\" \"n*\" :0]",
            ">[\"unsubscribe\" nil :0]"
        ]
    );
    assert_eq!(by_another(&mut bench, "PUBLISH news hi"), ":0");
}

#[test]
fn a_client_of_resp2_that_listens_does_little_else() {
    let mut bench = Bench::new();
    bench.run("SUBSCRIBE news");
    bench.expect(&[
        ("PING", "[\"pong\" \"\"]"),
        ("GET k", "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"),
        ("RESET", "+RESET"),
        ("PING", "+PONG"),
    ]);
    bench.run("HELLO 3");
    bench.run("SUBSCRIBE news");
    bench.expect(&[("GET k", "nil"), ("PING", "+PONG")]);
}

#[test]
fn a_session_that_is_gone_is_no_subscriber() {
    let mut bench = Bench::new();
    let mut other = bench.server.open_session();
    bench.server.execute(&mut other, &words("SUBSCRIBE news"), bench.now);
    bench.expect(&[("PUBLISH news a", ":1")]);
    drop(other);
    bench.expect(&[("PUBLISH news a", ":0"), ("PUBSUB CHANNELS", "[]")]);
}

#[test]
fn changes_of_keys_are_told_when_asked_for() {
    let mut bench = Bench::new();
    bench.expect(&[("CONFIG SET notify-keyspace-events KEA", "+OK")]);
    bench.run("PSUBSCRIBE __key*__:*");
    pushes(&mut bench);
    by_another(&mut bench, "SET k v PX 100");
    let keyspace =
        |event| format!(">[\"pmessage\" \"__key*__:*\" \"__keyspace@0__:k\" \"{event}\"]");
    let keyevent =
        |event| format!(">[\"pmessage\" \"__key*__:*\" \"__keyevent@0__:{event}\" \"k\"]");
    let both = |event| [keyspace(event), keyevent(event)];
    assert_eq!(pushes(&mut bench), [both("set"), both("expire")].concat());
    let next = bench.server.next_expiry();
    assert_eq!(next, Some(bench.now.after(std::time::Duration::from_millis(101))));
    bench.pass(100);
    assert_eq!(bench.server.expire_due(bench.now), 0);
    bench.pass(1);
    assert_eq!(bench.server.expire_due(bench.now), 1);
    assert_eq!(pushes(&mut bench), both("expired"));
    by_another(&mut bench, "RPUSH k a");
    by_another(&mut bench, "LPOP k");
    assert_eq!(pushes(&mut bench), [both("rpush"), both("lpop"), both("del")].concat());
}

#[test]
fn only_the_kinds_asked_for_are_told() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("CONFIG SET notify-keyspace-events Kx$", "+OK"),
        ("CONFIG GET notify-keyspace-events", "{\"notify-keyspace-events\"=\"$xK\"}"),
        ("CONFIG SET notify-keyspace-events KQ", "-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
    ]);
    bench.run("PSUBSCRIBE *");
    pushes(&mut bench);
    by_another(&mut bench, "SET k v");
    by_another(&mut bench, "DEL k");
    assert_eq!(pushes(&mut bench), [">[\"pmessage\" \"*\" \"__keyspace@0__:k\" \"set\"]"]);
}

#[test]
fn a_listener_that_never_reads_is_cut_off() {
    let mut bench = Bench::new();
    bench.run("SUBSCRIBE news");
    let large = "x".repeat(1 << 20);
    let mut other = bench.server.open_session();
    let publish =
        ["PUBLISH", "news", &large].map(|word| bytes::Bytes::copy_from_slice(word.as_bytes()));
    for _ in 0..40 {
        bench.server.execute(&mut other, &publish, bench.now);
    }
    assert!(bench.session.has_overflowed());
    assert!(pushes(&mut bench).is_empty());
}

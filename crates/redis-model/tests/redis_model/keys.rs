use std::collections::BTreeSet;

use bytes::Bytes;
use lockproof_redis_model::{Execution, Reply};

use crate::support::{Bench, show};

#[test]
fn keys_are_counted_as_often_as_they_are_named() {
    Bench::new().expect(&[
        ("SET a 1", "+OK"),
        ("EXISTS a a b", ":2"),
        ("DEL a a b", ":1"),
        ("UNLINK a", ":0"),
        ("TYPE a", "+none"),
        ("SET a 1", "+OK"),
        ("TYPE a", "+string"),
    ]);
}

#[test]
fn databases_are_apart_and_flushall_empties_them_all() {
    Bench::new().expect(&[
        ("SET k v", "+OK"),
        ("SELECT 1", "+OK"),
        ("GET k", "nil"),
        ("SET k w", "+OK"),
        ("FLUSHDB", "+OK"),
        ("SELECT 0", "+OK"),
        ("GET k", "\"v\""),
        ("FLUSHALL bogus", "-ERR syntax error"),
        ("FLUSHALL ASYNC", "+OK"),
        ("DBSIZE", ":0"),
        ("SELECT 16", "-ERR DB index is out of range"),
        ("SELECT x", "-ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn a_scan_meets_every_lasting_key_once_whatever_comes_and_goes() {
    let mut bench = Bench::new();
    for number in 0..500 {
        bench.run(&format!("SET stay:{number} v"));
        bench.run(&format!("SET go:{number} v"));
    }
    let (mut cursor, mut met, mut pages) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let page = bench.run(&format!("SCAN {cursor} MATCH stay:* COUNT 7"));
        let Reply::Array(parts) = page else { panic!("{page:?}") };
        let [Reply::Bulk(next), Reply::Array(keys)] = &parts[..] else { panic!("{parts:?}") };
        met.extend(keys.iter().map(show));
        bench.run(&format!("DEL go:{pages}"));
        bench.run(&format!("SET come:{pages} v"));
        pages += 1;
        cursor = String::from_utf8_lossy(next).into_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(met.len(), 500);
    assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), 500);
    assert!(pages > 100);
}

#[test]
fn scan_refuses_in_redis_words() {
    Bench::new().expect(&[
        ("SCAN x", "-ERR invalid cursor"),
        ("SCAN 18446744073709551616", "-ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("SCAN 0 MATCH", "-ERR syntax error"),
        ("SCAN 0 foo bar", "-ERR syntax error"),
        ("SCAN 18446744073709551615 COUNT 9223372036854775807", "[\"0\" []]"),
        ("SCAN 0 TYPE list", "[\"0\" []]"),
    ]);
}

#[test]
fn a_connection_greets_names_itself_and_quits() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("PING", "+PONG"),
        ("PING hi", "\"hi\""),
        ("ECHO hi", "\"hi\""),
        ("CLIENT GETNAME", "nil"),
        ("CLIENT SETNAME me", "+OK"),
        ("CLIENT GETNAME", "\"me\""),
        ("CLIENT ID", ":1"),
        ("CLIENT SETINFO lib-name x", "+OK"),
        ("HELLO 4", "-NOPROTO unsupported protocol version"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
        ("HELLO 2 foo", "-ERR Syntax error in HELLO option 'foo'"),
        ("RESET", "+RESET"),
        ("CLIENT GETNAME", "nil"),
        ("WAIT 0 100", ":0"),
        ("WAIT 1 -1", "-ERR timeout is negative"),
        ("TIME", "[\"1700000000\" \"0\"]"),
        ("CONFIG GET save", "{\"save\"=\"\"}"),
    ]);
    assert!(show(&bench.run("HELLO 2 SETNAME you")).starts_with("{\"server\"=\"redis\""));
    assert_eq!(bench.execute(&["QUIT"]), Execution::Close(Reply::OK));
}

#[test]
fn info_says_which_release_and_that_it_is_the_model() {
    let mut bench = Bench::new();
    bench.run("SET k v PX 100");
    let info = show(&bench.run("INFO"));
    for part in ["redis_version:7.0.15", "lockproof_redis_model:", "db0:keys=1,expires=1"] {
        assert!(info.contains(part), "{info}");
    }
    assert!(info.contains("connected_clients:1"), "{info}");
    assert!(!show(&bench.run("INFO clients")).contains("redis_version"));
}

#[test]
fn keys_can_be_looked_at_and_lost_outside_the_commands() {
    let mut bench = Bench::new();
    bench.run("SET lock:b v");
    bench.run("SET lock:a v");
    let now = bench.now;
    assert_eq!(bench.server.keys_matching(0, b"lock:*", now), ["lock:a", "lock:b"]);
    assert!(bench.server.drop_key(0, &Bytes::from_static(b"lock:a"), now));
    assert!(!bench.server.drop_key(0, &Bytes::from_static(b"lock:a"), now));
    bench.server.lose_everything();
    assert!(bench.server.keys_matching(0, b"*", now).is_empty());
}

#[test]
fn closed_sessions_are_no_longer_counted() {
    let mut bench = Bench::new();
    let other = bench.server.open_session();
    assert_eq!((other.id(), bench.server.session_count()), (2, 2));
    drop(other);
    assert_eq!(bench.server.session_count(), 1);
}

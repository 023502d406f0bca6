use crate::support::{Bench, show};

const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const INVALID_EXPIRE: &str = "-ERR invalid expire time in 'set' command";

#[test]
fn set_nx_grants_once_until_the_key_is_gone() {
    Bench::new().expect(&[
        ("SET lock a NX PX 100", "+OK"),
        ("SET lock b NX PX 100", "nil"),
        ("GET lock", "\"a\""),
        ("DEL lock", ":1"),
        ("set lock b nx px 100", "+OK"),
    ]);
}

#[test]
fn set_xx_changes_only_what_exists_and_get_tells_what_was_there() {
    Bench::new().expect(&[
        ("SET k a XX", "nil"),
        ("SET k a GET", "nil"),
        ("SET k b XX GET", "\"a\""),
        ("SET k c NX GET", "\"b\""),
        ("GET k", "\"b\""),
    ]);
}

#[test]
fn set_refuses_contradictions_in_redis_words() {
    Bench::new().expect(&[
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("SET k v NX XX", "-ERR syntax error"),
        ("SET k v EX", "-ERR syntax error"),
        ("SET k v EX 1 PX 1", "-ERR syntax error"),
        ("SET k v EX 1 KEEPTTL", "-ERR syntax error"),
        ("SET k v KEEPTTL PXAT 1", "-ERR syntax error"),
        ("SET k v bogus", "-ERR syntax error"),
        ("SET k v EX x", NOT_AN_INTEGER),
        ("SET k v EX 0", INVALID_EXPIRE),
        ("SET k v PX -1", INVALID_EXPIRE),
        ("SET k v EX 9223372036854775807", INVALID_EXPIRE),
        ("SET k v PX 9223372036854775807", INVALID_EXPIRE),
        ("EXISTS k", ":0"),
    ]);
}

#[test]
fn a_plain_set_takes_the_ttl_away_and_keepttl_keeps_it() {
    Bench::new().expect(&[
        ("SET k a PX 100", "+OK"),
        ("SET k b KEEPTTL", "+OK"),
        ("PTTL k", ":100"),
        ("SET k c", "+OK"),
        ("PTTL k", ":-1"),
    ]);
}

#[test]
fn counters_count_and_keep_their_ttl() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("INCR n", ":1"),
        ("INCRBY n 41", ":42"),
        ("DECR n", ":41"),
        ("DECRBY n 40", ":1"),
        ("PEXPIRE n 100", ":1"),
        ("INCR n", ":2"),
        ("PTTL n", ":100"),
    ]);
    bench.pass(101);
    bench.expect(&[("INCR n", ":1"), ("PTTL n", ":-1")]);
}

#[test]
fn counters_refuse_what_is_no_number_and_what_overflows() {
    Bench::new().expect(&[
        ("SET n 9223372036854775807", "+OK"),
        ("INCR n", "-ERR increment or decrement would overflow"),
        ("INCRBY n 1.5", NOT_AN_INTEGER),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("GET n", "\"9223372036854775807\""),
        ("SET n 01", "+OK"),
        ("INCR n", NOT_AN_INTEGER),
    ]);
}

#[test]
fn unknown_commands_are_named_with_their_arguments() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("foo", "-ERR unknown command 'foo', with args beginning with: "),
        ("foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' "),
        ("script foo", "-ERR unknown subcommand 'foo'. Try SCRIPT HELP."),
        ("script", "-ERR wrong number of arguments for 'script' command"),
        ("script load", "-ERR wrong number of arguments for 'script|load' command"),
    ]);
    let long = "x".repeat(10_000);
    let refusal = show(&bench.words(&[&long, &long, &long]));
    assert!(refusal.len() < 400, "{refusal}");
    assert!(show(&bench.words(&[])).starts_with("-ERR unknown command ''"));
}

#[test]
fn strings_are_taken_extended_and_written_in_bulk() {
    Bench::new().expect(&[
        ("SETNX k a", ":1"),
        ("SETNX k b", ":0"),
        ("GETSET k c", "\"a\""),
        ("APPEND k de", ":3"),
        ("STRLEN k", ":3"),
        ("GETDEL k", "\"cde\""),
        ("GETDEL k", "nil"),
        ("MSET a 1 b 2", "+OK"),
        ("MSETNX c 3 a 4", ":0"),
        ("MGET a b c", "[\"1\" \"2\" nil]"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
    ]);
}

#[test]
fn strings_with_an_end_can_be_read_and_given_another() {
    Bench::new().expect(&[
        ("SETEX k 10 v", "+OK"),
        ("PTTL k", ":10000"),
        ("PSETEX k 500 v", "+OK"),
        ("GETEX k PX 900", "\"v\""),
        ("PTTL k", ":900"),
        ("GETEX k PERSIST", "\"v\""),
        ("PTTL k", ":-1"),
        ("GETEX k EX 1 PERSIST", "-ERR syntax error"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command"),
        ("GETEX k PXAT 1", "\"v\""),
        ("EXISTS k", ":0"),
        ("GETEX k", "nil"),
    ]);
}

use lockproof_redis_model::WallClock;

use crate::support::Bench;

#[test]
fn a_key_lives_through_the_millisecond_of_its_expiry_and_no_longer() {
    let mut bench = Bench::new();
    bench.run("SET k v PX 100");
    bench.pass(100);
    bench.expect(&[("PTTL k", ":0"), ("GET k", "\"v\"")]);
    bench.pass(1);
    bench.expect(&[("GET k", "nil"), ("PTTL k", ":-2"), ("SET k w NX", "+OK")]);
}

#[test]
fn seconds_are_rounded_to_the_nearest() {
    let mut bench = Bench::new();
    bench.run("SET k v PX 1600");
    bench.expect(&[("TTL k", ":2")]);
    bench.pass(200);
    bench.expect(&[("TTL k", ":1"), ("PTTL k", ":1400")]);
}

#[test]
fn a_clock_that_jumps_back_lengthens_a_lease_and_forward_ends_it() {
    let mut bench = Bench::new();
    bench.run("SET k v PX 1000");
    bench.now = WallClock::from_unix_millis(1_700_000_000_000 - 60_000);
    bench.expect(&[("PTTL k", ":61000")]);
    bench.now = WallClock::from_unix_millis(1_700_000_000_000 + 60_000);
    bench.expect(&[("EXISTS k", ":0")]);
}

#[test]
fn expire_obeys_its_conditions() {
    Bench::new().expect(&[
        ("EXPIRE k 10", ":0"),
        ("SET k v", "+OK"),
        ("EXPIRE k 10 XX", ":0"),
        ("EXPIRE k 10 GT", ":0"),
        ("EXPIRE k 10 LT", ":1"),
        ("EXPIRE k 20 NX", ":0"),
        ("EXPIRE k 5 GT", ":0"),
        ("EXPIRE k 20 GT", ":1"),
        ("EXPIRE k 30 LT", ":0"),
        ("TTL k", ":20"),
        ("PERSIST k", ":1"),
        ("PERSIST k", ":0"),
        ("TTL k", ":-1"),
    ]);
}

#[test]
fn expire_refuses_in_redis_words() {
    Bench::new().expect(&[
        ("SET k v", "+OK"),
        ("EXPIRE k x", "-ERR value is not an integer or out of range"),
        ("EXPIRE k 1 foo", "-ERR Unsupported option foo"),
        (
            "EXPIRE k 1 NX XX",
            "-ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIREAT k -9223372036854775808", "-ERR invalid expire time in 'expireat' command"),
        ("TTL k", ":-1"),
    ]);
}

#[test]
fn a_deadline_in_the_past_deletes() {
    Bench::new().expect(&[
        ("SET k v", "+OK"),
        ("EXPIRE k -1", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("PEXPIREAT k 1", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v EXAT 1", "+OK"),
        ("GET k", "nil"),
    ]);
}

#[test]
fn absolute_expiries_are_told_as_they_were_given() {
    Bench::new().expect(&[
        ("SET k v PXAT 1700000000500", "+OK"),
        ("PTTL k", ":500"),
        ("PEXPIRETIME k", ":1700000000500"),
        ("EXPIREAT k 33177117420", ":1"),
        ("EXPIRETIME k", ":33177117420"),
        ("EXPIRETIME nothing", ":-2"),
    ]);
}

#[test]
fn expired_keys_are_neither_counted_nor_listed() {
    let mut bench = Bench::new();
    bench.run("SET short v PX 10");
    bench.run("SET long v");
    bench.pass(11);
    bench.expect(&[
        ("DBSIZE", ":1"),
        ("KEYS *", "[\"long\"]"),
        ("SCAN 0", "[\"0\" [\"long\"]]"),
        ("DEL short", ":0"),
    ]);
}

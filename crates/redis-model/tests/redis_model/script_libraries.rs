use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lockproof_redis_model::WallClock;

use crate::support::{Bench, show};

fn expect(exchanges: &[(&str, &str)]) {
    let mut bench = Bench::new();
    for (script, wanted) in exchanges {
        assert_eq!(show(&bench.eval(script)), *wanted, "{script}");
    }
}

#[test]
fn json_is_written_and_read() {
    expect(&[
        (
            "return cjson.encode({1, 'a/b', true, cjson.null, {}})",
            r#""[1,\"a\\/b\",true,null,{}]""#,
        ),
        ("return cjson.encode({a = 1.5})", r#""{\"a\":1.5}""#),
        ("return cjson.encode(1e20)", "\"1e+20\""),
        (
            "local t = cjson.decode('{\"a\": [1, {\"b\": \"x\\\\u00e9\"}]}') return {t.a[1], t.a[2].b}",
            "[:1 \"xé\"]",
        ),
        ("return cjson.decode('null') == cjson.null", ":1"),
        (
            "return select(2, pcall(cjson.decode, '[1'))",
            "\"Expected comma or array end but found T_END at character 3\"",
        ),
        ("local s = string.rep('[', 2000) return (pcall(cjson.decode, s))", "nil"),
        ("local t = {} t[1000] = 1 return (pcall(cjson.encode, t))", "nil"),
        ("local t = {} t.t = t return (pcall(cjson.encode, t))", "nil"),
        (
            "local t = {1} for _ = 1, 60 do t = {t, t} end return select(2, pcall(cjson.encode, t))",
            "\"not enough memory\"",
        ),
        (
            "local s = string.rep('[', 900) .. string.rep(']', 900) return #cjson.encode(cjson.decode(s))",
            ":1800",
        ),
    ]);
}

#[test]
fn bits_are_32() {
    expect(&[
        (
            "return {bit.band(255, 15), bit.bor(1, 2, 4), bit.bxor(5, 1), bit.bnot(0)}",
            "[:15 :7 :4 :-1]",
        ),
        (
            "return {bit.lshift(1, 31), bit.rshift(-1, 28), bit.arshift(-16, 2)}",
            "[:-2147483648 :15 :-4]",
        ),
        (
            "return {bit.tohex(255), bit.tohex(-1, 4), bit.tobit(4294967295)}",
            "[\"000000ff\" \"ffff\" :-1]",
        ),
    ]);
}

#[test]
fn libraries_that_are_left_out_say_so() {
    let mut bench = Bench::new();
    for (script, wanted) in [
        ("return cmsgpack.pack(1)", "cmsgpack.pack is not modelled by lockproof"),
        ("return struct.pack('i', 1)", "struct.pack is not modelled by lockproof"),
        ("cjson.encode = 1", "Attempt to modify a readonly table"),
    ] {
        let shown = show(&bench.eval(script));
        assert!(shown.contains(wanted), "{shown}");
    }
}

#[test]
fn a_script_may_ask_for_typed_replies() {
    let mut bench = Bench::new();
    bench.expect(&[("HSET h a 1", ":1"), ("ZADD z 1.5 m", ":1"), ("SADD s x", ":1")]);
    for (script, wanted) in [
        ("return redis.call('hgetall', 'h')", "[\"a\" \"1\"]"),
        ("redis.setresp(3) return redis.call('hgetall', 'h').map.a", "\"1\""),
        ("redis.setresp(3) return redis.call('hgetall', 'h')", "{\"a\"=\"1\"}"),
        ("redis.setresp(3) return redis.call('smembers', 's')", "~[\"x\"]"),
        ("redis.setresp(3) return redis.call('zscore', 'z', 'm')", ",1.5"),
        ("redis.setresp(3) return redis.call('get', 'nothing') == nil", "#true"),
        ("return redis.call('zscore', 'z', 'm')", "\"1.5\""),
        ("return redis.call('get', 'nothing') == false", ":1"),
    ] {
        assert_eq!(show(&bench.eval(script)), wanted, "{script}");
    }
    assert!(show(&bench.eval("redis.setresp(4)")).starts_with("-ERR RESP version must be 2 or 3."));
}

#[test]
fn a_script_is_stopped_by_the_clock_where_there_is_one() {
    static MILLIS: AtomicU64 = AtomicU64::new(0);
    let mut bench = Bench::new();
    let clock = || WallClock::from_unix_millis(MILLIS.fetch_add(1, Ordering::Relaxed));
    bench.server.limit_script_time(clock, Duration::from_millis(50));
    let shown = show(&bench.eval("while true do end"));
    assert!(shown.starts_with("-ERR script exceeded the limit of 50ms"), "{shown}");
    assert_eq!(show(&bench.eval("return 1")), ":1");
}

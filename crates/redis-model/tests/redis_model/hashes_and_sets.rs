use crate::support::Bench;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn hashes_hold_fields_until_the_last_is_gone() {
    Bench::new().expect(&[
        ("HSET h a 1 b 2 a 3", ":2"),
        ("HSETNX h a 4", ":0"),
        ("HSETNX h c 5", ":1"),
        ("HGET h a", "\"3\""),
        ("HGET h nothing", "nil"),
        ("HMGET h a nothing", "[\"3\" nil]"),
        ("HGETALL h", "{\"a\"=\"3\" \"b\"=\"2\" \"c\"=\"5\"}"),
        ("HKEYS h", "[\"a\" \"b\" \"c\"]"),
        ("HVALS h", "[\"3\" \"2\" \"5\"]"),
        ("HLEN h", ":3"),
        ("HEXISTS h b", ":1"),
        ("HDEL h a b nothing", ":2"),
        ("HDEL h c", ":1"),
        ("EXISTS h", ":0"),
    ]);
}

#[test]
fn fields_count_as_fencing_tokens_do() {
    Bench::new().expect(&[
        ("HINCRBY h n 41", ":41"),
        ("HINCRBY h n 1", ":42"),
        ("HSET h n x", ":0"),
        ("HINCRBY h n 1", "-ERR hash value is not an integer"),
        ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
        ("HSET h n 9223372036854775807", ":0"),
        ("HINCRBY h n 1", "-ERR increment or decrement would overflow"),
        ("HSET h n", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h n 1 m", "-ERR wrong number of arguments for 'hset' command"),
    ]);
}

#[test]
fn sets_hold_members_until_the_last_is_gone() {
    Bench::new().expect(&[
        ("SADD s b a b", ":2"),
        ("SADD s a", ":0"),
        ("SMEMBERS s", "~[\"a\" \"b\"]"),
        ("SISMEMBER s a", ":1"),
        ("SISMEMBER s c", ":0"),
        ("SCARD s", ":2"),
        ("SREM s a c", ":1"),
        ("SREM s b", ":1"),
        ("TYPE s", "+none"),
        ("SMEMBERS s", "~[]"),
    ]);
}

#[test]
fn a_command_for_another_type_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    bench.expect(&[("SET text v", "+OK"), ("RPUSH list a", ":1")]);
    for line in [
        "HSET text f v",
        "HGET text f",
        "HINCRBY text f 1",
        "SADD text a",
        "SMEMBERS text",
        "ZADD text 1 a",
        "ZRANGE text 0 -1",
        "ZSCORE text a",
        "RPUSH text a",
        "LPOP text",
        "BLPOP text 0",
        "GET list",
        "INCR list",
        "APPEND list a",
        "GETDEL list",
        "GETEX list",
        "SET list v GET",
        "GETSET list v",
        "HGETALL list",
        "ZREM list a",
    ] {
        bench.expect(&[(line, WRONG_TYPE)]);
    }
    bench.expect(&[
        ("GET text", "\"v\""),
        ("LRANGE list 0 -1", "[\"a\"]"),
        ("MGET text list", "[\"v\" nil]"),
        ("SET list v", "+OK"),
        ("TYPE list", "+string"),
    ]);
}

#[test]
fn types_and_encodings_are_told() {
    Bench::new().expect(&[
        ("HSET h a 1", ":1"),
        ("SADD s 1 2", ":2"),
        ("ZADD z 1 a", ":1"),
        ("RPUSH l a", ":1"),
        ("SET n 12", "+OK"),
        ("TYPE h", "+hash"),
        ("TYPE s", "+set"),
        ("TYPE z", "+zset"),
        ("TYPE l", "+list"),
        ("OBJECT ENCODING h", "\"listpack\""),
        ("OBJECT ENCODING s", "\"intset\""),
        ("OBJECT ENCODING n", "\"int\""),
        ("OBJECT REFCOUNT n", ":1"),
        ("OBJECT ENCODING nothing", "nil"),
    ]);
}

#[test]
fn keys_are_renamed_with_their_expiry() {
    Bench::new().expect(&[
        ("RENAME a b", "-ERR no such key"),
        ("SET a 1 PX 1000", "+OK"),
        ("SET b 2", "+OK"),
        ("RENAMENX a b", ":0"),
        ("RENAME a b", "+OK"),
        ("GET b", "\"1\""),
        ("PTTL b", ":1000"),
        ("EXISTS a", ":0"),
        ("RENAMENX b a", ":1"),
    ]);
}

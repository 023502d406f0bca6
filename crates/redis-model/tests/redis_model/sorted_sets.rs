use crate::support::{Bench, show};

#[test]
fn members_are_ordered_by_score_then_by_name() {
    Bench::new().expect(&[
        ("ZADD q 2 b 1 c 2 a", ":3"),
        ("ZRANGE q 0 -1", "[\"c\" \"a\" \"b\"]"),
        ("ZRANGE q 0 0", "[\"c\"]"),
        ("ZRANGE q 0 -1 REV", "[\"b\" \"a\" \"c\"]"),
        ("ZREVRANGE q 0 0 WITHSCORES", "[\"b\" ,2]"),
        ("ZRANK q b", ":2"),
        ("ZREVRANK q b", ":0"),
        ("ZRANK q nothing", "nil"),
        ("ZSCORE q c", ",1"),
        ("ZCARD q", ":3"),
        ("ZCOUNT q (1 +inf", ":2"),
    ]);
}

#[test]
fn ranges_of_scores_have_open_ends_and_limits() {
    Bench::new().expect(&[
        ("ZADD q 1 a 2 b 3 c 4 d", ":4"),
        ("ZRANGEBYSCORE q (1 3", "[\"b\" \"c\"]"),
        ("ZRANGE q 3 (1 BYSCORE REV", "[\"c\" \"b\"]"),
        ("ZRANGE q -inf +inf BYSCORE LIMIT 1 2", "[\"b\" \"c\"]"),
        ("ZRANGE q -inf +inf BYSCORE LIMIT -1 2", "[]"),
        ("ZREVRANGEBYSCORE q 3 2 WITHSCORES", "[\"c\" ,3 \"b\" ,2]"),
        ("ZRANGEBYSCORE q 3 2", "[]"),
        ("ZRANGEBYSCORE q x 2", "-ERR min or max is not a float"),
        ("ZRANGE q 0 1 LIMIT 0 1", "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"),
        ("ZREMRANGEBYSCORE q -inf 1", ":1"),
        ("ZREMRANGEBYRANK q 0 1", ":2"),
        ("ZREMRANGEBYSCORE q -inf inf", ":1"),
        ("EXISTS q", ":0"),
    ]);
}

#[test]
fn zadd_obeys_its_conditions() {
    Bench::new().expect(&[
        ("ZADD q XX 1 a", ":0"),
        ("ZADD q NX 5 a", ":1"),
        ("ZADD q NX 6 a", ":0"),
        ("ZADD q GT 4 a", ":0"),
        ("ZADD q GT CH 7 a", ":1"),
        ("ZADD q LT CH 8 a 1 b", ":1"),
        ("ZADD q INCR 1 a", ",8"),
        ("ZADD q NX INCR 1 a", "nil"),
        ("ZINCRBY q -0.5 a", ",7.5"),
        ("ZADD q NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD q GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD q INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD q 1 a 2", "-ERR syntax error"),
        ("ZADD q nan a", "-ERR value is not a valid float"),
        ("ZADD q inf i", ":1"),
        ("ZINCRBY q -inf i", "-ERR resulting score is not a number (NaN)"),
    ]);
}

#[test]
fn scores_are_printed_as_redis_7_0_does() {
    let mut bench = Bench::new();
    bench.run("ZADD q 3.1 a 1e20 b -0 c 17 d");
    assert_eq!(
        show(&bench.run("ZRANGE q 0 -1 WITHSCORES")),
        "[\"c\" ,0 \"a\" ,3.1000000000000001 \"d\" ,17 \"b\" ,1e+20]"
    );
}

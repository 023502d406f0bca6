use crate::support::{Bench, words};

/// A write by somebody else.
fn by_another(bench: &mut Bench, line: &str) {
    let mut other = bench.server.open_session();
    bench.server.execute(&mut other, &words(line), bench.now);
}

#[test]
fn queued_commands_run_together_and_a_failing_one_stops_no_other() {
    Bench::new().expect(&[
        ("EXEC", "-ERR EXEC without MULTI"),
        ("DISCARD", "-ERR DISCARD without MULTI"),
        ("MULTI", "+OK"),
        ("SET k v", "+QUEUED"),
        ("INCR k", "+QUEUED"),
        ("GET k", "+QUEUED"),
        ("MULTI", "-ERR MULTI calls can not be nested"),
        ("EXEC", "[+OK -ERR value is not an integer or out of range \"v\"]"),
        ("MULTI", "+OK"),
        ("DEL k", "+QUEUED"),
        ("DISCARD", "+OK"),
        ("EXISTS k", ":1"),
    ]);
}

#[test]
fn a_refused_command_breaks_the_transaction() {
    Bench::new().expect(&[
        ("MULTI", "+OK"),
        ("SET k v", "+QUEUED"),
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("EXISTS k", ":0"),
        ("MULTI", "+OK"),
        ("EXEC now", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
        ("EXEC", "-ERR EXEC without MULTI"),
    ]);
}

#[test]
fn exec_does_nothing_when_a_watched_key_was_touched() {
    let mut bench = Bench::new();
    for (line, outcome) in [
        ("SET k other", "nil"),
        ("DEL k", "nil"),
        ("EXPIRE k 100", "nil"),
        ("FLUSHALL", "nil"),
        ("RENAME k elsewhere", "nil"),
        ("GET k", "[\"mine\"]"),
        ("SET unwatched x", "[\"mine\"]"),
    ] {
        bench.expect(&[("SET k mine", "+OK"), ("WATCH k", "+OK")]);
        by_another(&mut bench, line);
        bench.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", outcome)]);
    }
    bench.expect(&[("SET k mine", "+OK"), ("WATCH k", "+OK")]);
    by_another(&mut bench, "SET k other");
    bench.expect(&[
        ("UNWATCH", "+OK"),
        ("MULTI", "+OK"),
        ("GET k", "+QUEUED"),
        ("EXEC", "[\"other\"]"),
    ]);
    bench.expect(&[("MULTI", "+OK"), ("WATCH k", "-ERR WATCH inside MULTI is not allowed")]);
}

#[test]
fn a_watched_key_that_expires_counts_as_touched_but_not_one_that_had_expired_before() {
    let mut bench = Bench::new();
    bench.expect(&[("SET k v PX 10", "+OK"), ("WATCH k", "+OK")]);
    bench.pass(11);
    bench.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "nil")]);
    bench.expect(&[("SET k v PX 10", "+OK")]);
    bench.pass(11);
    bench.expect(&[("WATCH k", "+OK"), ("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "[nil]")]);
}

#[test]
fn a_fault_is_seen_by_those_who_watch() {
    let mut bench = Bench::new();
    bench.expect(&[("SET k v", "+OK"), ("WATCH k", "+OK")]);
    bench.server.lose_everything();
    bench.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "nil")]);
}

#[test]
fn a_script_is_one_command_of_a_transaction() {
    let mut bench = Bench::new();
    bench.run("MULTI");
    bench.words(&["EVAL", "return redis.call('incr', KEYS[1])", "1", "n"]);
    bench.expect(&[("EXEC", "[:1]")]);
}

//! Every message with its place: what is wrong, and what to do.

use std::path::Path;

use lockproof_scenario::load;

use crate::support::{FINE, read, refused, with};

#[test]
fn a_scenario_that_is_fine_is_accepted() {
    let scenario = read(FINE).unwrap();
    assert_eq!(scenario.name, "bad", "named after its file");
    assert_eq!(scenario.cells.len(), 2);
}

#[test]
fn a_missing_file_is_named() {
    let problems = load(Path::new("nowhere/at-all.toml")).unwrap_err().to_string();
    assert_eq!(
        problems,
        "nowhere/at-all.toml: cannot read the scenario: No such file or directory (os error 2)"
    );
}

#[test]
fn broken_toml_is_placed() {
    refused(
        "schema_version = 1\nstrategies = [\"redlock\"\n",
        &["bad.toml:2:24: unclosed array, expected `]`"],
    );
    refused("schema_version = = 1\n", &["bad.toml:1:18: extra `=`, expected nothing"]);
    refused(&with("holders = 4", "holders = 4\nholders = 5"), &["bad.toml:6:1: duplicate key"]);
}

#[test]
fn an_unknown_key_is_placed_with_what_was_meant() {
    refused(
        &with("holders", "holdres"),
        &["bad.toml:5:1: unknown key `holdres` in [workload]; did you mean `holders`? available:"],
    );
    refused(
        &with("ttl", "tll"),
        &["bad.toml:9:1: unknown key `tll` in [lock]; did you mean `ttl`? available:"],
    );
    refused(
        &with("[lock]", "[lokc]"),
        &["bad.toml:8:2: unknown key `lokc` in a scenario; did you mean `lock`? available:"],
    );
    refused(
        &with("ttl = \"250ms\"", "wait = { tries = 3, dely = \"1ms\" }"),
        &["bad.toml:9:21: unknown key `dely` in [wait]; did you mean `delay`? available:"],
    );
    refused(
        &format!("colour = \"red\"\n{FINE}"),
        &["bad.toml:1:1: unknown key `colour` in a scenario; available:"],
    );
}

#[test]
fn the_version_of_the_schema_is_asked_for() {
    refused(
        &with("schema_version = 1\n", ""),
        &["bad.toml:1:1: `schema_version` is missing; write schema_version = 1"],
    );
    refused(
        &with("schema_version = 1", "schema_version = 2"),
        &["bad.toml:1:1: this program reads schema_version 1, not 2"],
    );
    refused(
        &with("schema_version = 1", "schema_version = \"1\""),
        &["bad.toml:1:18: `schema_version` takes a whole number, found string"],
    );
}

#[test]
fn an_unknown_strategy_is_placed_with_what_was_meant() {
    refused(
        &with("\"redlock\"", "\"rdlock\""),
        &["bad.toml:2:31: unknown strategy `rdlock`; did you mean `redlock`? available:"],
    );
    refused(
        &with("\"redlock\"", "\"redlock+fencng\""),
        &["bad.toml:2:31: unknown guard `fencng`; did you mean `fencing`? available:"],
    );
    refused(
        &with("\"redlock\"", "\"chubby+version\""),
        &["bad.toml:2:31: unknown lock `chubby`; available:"],
    );
    refused(
        &with("\"redlock\"", "\"redis-set-nx\""),
        &["bad.toml:2:31: redis-set-nx is listed twice"],
    );
    refused(
        &with("[\"redis-set-nx\", \"redlock\"]", "[]"),
        &[r#"bad.toml:2:1: name at least one strategy: strategies = ["redis-set-nx", "row-lock"]"#],
    );
    refused(
        &with("[\"redis-set-nx\", \"redlock\"]", "\"redlock\""),
        &[
            r#"bad.toml:2:1: name at least one strategy: strategies = ["redis-set-nx", "row-lock"]"#,
            "bad.toml:2:14: `strategies` takes an array of strings, found string",
        ],
    );
}

#[test]
fn a_strategy_that_cannot_work_is_refused_with_the_reason() {
    refused(
        &with("\"redlock\"", "\"redlock+fencing\""),
        &[
            "bad.toml:2:31: redlock+fencing cannot work: the guard fencing orders writes by fencing tokens and the lock redlock gives none, since the largest of several servers' counters is not monotonic across quorums; a lock that does: redis-set-nx+fencing",
        ],
    );
    refused(
        &with("\"redlock\"", "\"fencing\""),
        &[
            "bad.toml:2:31: fencing cannot work: the guard fencing orders writes by fencing tokens and the lock none gives none, since it does not even exclude, so it has no order to give; a lock that does: redis-set-nx+fencing",
        ],
    );
}

#[test]
fn durations_are_written_as_people_do_and_never_negative() {
    refused(
        &with("\"250ms\"", "\"-250ms\""),
        &["bad.toml:9:7: `-250ms` is negative; time only goes forward here"],
    );
    refused(
        &with("\"250ms\"", "\"250\""),
        &[
            "bad.toml:9:7: `250` is no duration (time unit needed, for example 250sec or 250ms); write 250ms, 2s or 1s 500ms",
        ],
    );
    refused(
        &with("\"250ms\"", "250"),
        &[r#"bad.toml:9:7: `ttl` takes a duration such as "250ms", found integer"#],
    );
    refused(
        &with("bookings = 8", "for = \"-1s\""),
        &["bad.toml:6:7: `-1s` is negative; time only goes forward here"],
    );
}

#[test]
fn a_ttl_is_a_whole_number_of_milliseconds() {
    refused(
        &with("\"250ms\"", "\"0ms\""),
        &[
            "bad.toml:9:7: a TTL is a whole number of milliseconds, at least 1ms: a lock that ends at once protects nothing",
        ],
    );
    refused(
        &with("\"250ms\"", "\"1ms 500us\""),
        &[
            "bad.toml:9:7: a TTL is a whole number of milliseconds, at least 1ms: a lock that ends at once protects nothing",
        ],
    );
    refused(
        &with("\"250ms\"", "\"1.5ms\""),
        &[
            "bad.toml:9:7: a TTL is a whole number of milliseconds, at least 1ms: a lock that ends at once protects nothing",
        ],
    );
    read(&with("\"250ms\"", "\"1ms\"")).unwrap();
}

#[test]
fn numbers_stay_within_their_range() {
    refused(
        &with("holders = 4", "holders = 0"),
        &["bad.toml:5:11: `holders` is a whole number from 1 to 10000"],
    );
    refused(
        &with("holders = 4", "holders = -1"),
        &["bad.toml:5:11: `holders` is a whole number from 1 to 10000"],
    );
    refused(
        &with("holders = 4", "holders = 4.5"),
        &["bad.toml:5:11: `holders` takes a whole number, found float"],
    );
    assert_eq!(read(&with("holders = 4", "holders = 0x10")).unwrap().load.holders, 16);
    assert_eq!(read(&with("holders = 4", "holders = 1_000")).unwrap().load.holders, 1000);
}

#[test]
fn a_load_ends_one_way() {
    refused(
        &with("bookings = 8", ""),
        &[r#"bad.toml:4:1: when does the load end? write bookings = 400 or for = "10s""#],
    );
    refused(
        &with("bookings = 8", "bookings = 8\nfor = \"1s\""),
        &["bad.toml:4:1: a load ends after so many `bookings` or after `for` a time, not both"],
    );
    refused(
        "schema_version = 1\nstrategies = [\"redlock\"]\n",
        &["bad.toml:1:1: [workload] is missing: who books what?"],
    );
    refused(
        &with("holders = 4", "flow = \"lock-and-bok\""),
        &["bad.toml:5:8: unknown flow `lock-and-bok`; did you mean `lock-and-book`? available:"],
    );
}

#[test]
fn a_failure_mode_is_one_of_the_catalogue() {
    refused(
        &FINE.replace("strategies =", "catalog = [\"F01\", \"F67\"]\nstrategies ="),
        &["bad.toml:2:19: `F67` is no failure mode: they are F01 to F66"],
    );
}

#[test]
fn an_expectation_is_one_that_there_is_of_a_strategy_that_is_listed() {
    let expect = |line: &str| format!("{FINE}\n[expect]\n{line}\n");
    refused(
        &expect("redlock = \"no-duplicate\""),
        &[
            "bad.toml:12:11: `no-duplicate` is no expectation; write duplicates, no-duplicates, no-bookings, { bookings = N }, { shows = \"…\" } or { blocked = \"…\" }; did you mean `no-duplicates`?",
        ],
    );
    refused(
        &expect("redlock = \"maybe\""),
        &[
            "bad.toml:12:11: `maybe` is no expectation; write duplicates, no-duplicates, no-bookings, { bookings = N }, { shows = \"…\" } or { blocked = \"…\" }",
        ],
    );
    refused(
        &expect("redlock = true"),
        &[
            "bad.toml:12:11: an expectation is duplicates, no-duplicates, no-bookings, { bookings = N }, { shows = \"…\" } or { blocked = \"…\" }",
        ],
    );
    refused(
        &expect("redlock = { bookigs = 3 }"),
        &[
            "bad.toml:12:13: unknown key `bookigs` in an expectation; did you mean `bookings`? available:",
        ],
    );
    refused(
        &expect("redlock = { shows = \"orphaned-lok\" }"),
        &[
            "bad.toml:12:21: `orphaned-lok` is no kind of anomaly; did you mean `orphaned-lock`? available:",
        ],
    );
    refused(
        &expect("redlock = { blocked = \"0s\" }"),
        &["bad.toml:12:23: `blocked` is longer than nothing"],
    );
    refused(
        &expect("row-lock = \"no-duplicates\""),
        &["bad.toml:12:1: [expect] names row-lock, which `strategies` does not; add it there"],
    );
    refused(
        &expect("redlok = \"no-duplicates\""),
        &[
            "bad.toml:12:1: [expect] names `redlok`, which `strategies` does not; did you mean `redlock`? available:",
        ],
    );
    refused(
        &expect("\"redlock+fencing\" = \"no-duplicates\""),
        &[
            "bad.toml:12:1: [expect] names `redlock+fencing`, which `strategies` does not; available:",
        ],
    );
}

#[test]
fn a_name_becomes_part_of_file_names() {
    refused(
        &format!("name = \"../Mine\"\n{FINE}"),
        &[
            "bad.toml:1:8: a name has lower-case letters, digits and dashes: it becomes part of file names",
        ],
    );
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_file() {
    let text = r#"schema_version = 2
strategies = ["rdlock", "redlock+fencing"]
colour = "red"

[workload]
holdres = 4
bookings = 8

[lock]
ttl = "0ms"

[[fault]]
kind = "latncy"

[expect]
row-lock = "maybe"
"#;
    refused(
        text,
        &[
            "bad.toml:1:1: this program reads schema_version 1, not 2",
            "bad.toml:2:15: unknown strategy `rdlock`; did you mean `redlock`? available:",
            "bad.toml:2:25: redlock+fencing cannot work: the guard fencing orders writes by fencing tokens and the lock redlock gives none, since the largest of several servers' counters is not monotonic across quorums; a lock that does: redis-set-nx+fencing",
            "bad.toml:3:1: unknown key `colour` in a scenario; available:",
            "bad.toml:6:1: unknown key `holdres` in [workload]; did you mean `holders`? available:",
            "bad.toml:10:7: a TTL is a whole number of milliseconds, at least 1ms: a lock that ends at once protects nothing",
            "bad.toml:13:8: unknown fault `latncy`; did you mean `latency`? available:",
            "bad.toml:16:1: [expect] names row-lock, which `strategies` does not; add it there",
        ],
    );
}

#[test]
fn a_guard_that_cannot_count_is_refused_for_a_larger_capacity() {
    let text = with("[\"redis-set-nx\", \"redlock\"]", "[\"exclude\"]");
    let text = text.replace("holders = 4", "holders = 4\ncapacity = 3");
    let why = "exclude cannot sell a slot 3 times: a constraint on overlaps cannot count";
    refused(&text, &[&format!("bad.toml:2:1: {why}")]);
}

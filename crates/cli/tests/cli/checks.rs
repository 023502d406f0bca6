//! `check`: exit codes, what is said, and files that something has happened to.

use std::process::Output;

use serde_json::Value;

use crate::{Place, small, stderr, stdout};

const GOOD: &str = r"{:type :invoke, :f :acquire, :process 0, :value nil}
{:type :ok, :f :acquire, :process 0, :value 1}
{:type :info, :f :start-partition, :process :nemesis, :value nil}
{:type :invoke, :f :acquire, :process 1, :value nil}
{:type :invoke, :f :release, :process 0, :value nil}
{:type :info, :f :release, :process 0, :value nil, :error :timeout}
{:type :ok, :f :acquire, :process 1, :value 2}
";

/// The second is let in before the first has said that it goes.
const BAD: &str = r"[{:type :invoke, :f :acquire, :process 0, :value nil}
 {:type :ok, :f :acquire, :process 0, :value 2}
 {:type :invoke, :f :acquire, :process 1, :value nil}
 {:type :ok, :f :acquire, :process 1, :value 1}
 {:type :invoke, :f :release, :process 0, :value nil}
 {:type :ok, :f :release, :process 0, :value nil}]
";

fn check(place: &Place, file: &str, contents: &[u8], rest: &[&str]) -> Output {
    std::fs::write(place.path().join(file), contents).unwrap();
    place.lockproof().args(["check", file]).args(rest).output().unwrap()
}

/// The file is no history, which is said with the place, and nothing else happens.
fn refused(file: &str, contents: &[u8], expected: &str) {
    let output = check(&Place::new(), file, contents, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{file}: {said}");
    assert!(said.contains(file) && said.contains(expected), "{file}, {expected}: {said}");
    assert!(!said.contains("panicked") && output.stdout.is_empty(), "{said}");
}

#[test]
fn a_history_that_has_an_order_is_valid_by_every_model() {
    for model in ["mutex", "owner-mutex", "reentrant-mutex", "fenced-mutex"] {
        let output = check(&Place::new(), "good.edn", GOOD.as_bytes(), &["--model", model]);
        assert_eq!(output.status.code(), Some(0), "{model}: {}", stderr(&output));
        let said = stdout(&output);
        assert!(said.starts_with("valid: ") && said.contains(model), "{said}");
        assert!(
            said.contains("operations: 3, of which unknown: 1; failed and left out: 0"),
            "{said}"
        );
    }
}

#[test]
fn two_holders_at_one_time_are_named_with_their_lines() {
    let output = check(&Place::new(), "bad.edn", BAD.as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stdout(&output);
    let why = "`1` acquired it with token 1 (line 3), but `0` holds it since it acquired it with token 2 (line 1)";
    assert!(said.starts_with("violated: ") && said.contains(why), "{said}");

    let output = check(&Place::new(), "bad.edn", BAD.as_bytes(), &["--format", "json"]);
    let judgement: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(judgement["verdict"], "violated");
    assert_eq!(judgement["violation"]["why"], "held");
    assert_eq!(judgement["violation"]["holder"]["line"], 1);
}

#[test]
fn what_one_model_allows_another_does_not() {
    let place = Place::new();
    let event = |kind: &str, f: &str, fence: u32| {
        format!("{{\"process\":1,\"type\":\"{kind}\",\"f\":\"{f}\",\"fence\":{fence}}}\n")
    };
    let done = |f: &str, fence| event("invoke", f, fence) + &event("ok", f, fence);
    let twice = [done("acquire", 2), done("acquire", 3)].concat();
    let backwards = [done("acquire", 2), done("release", 2), done("acquire", 1)].concat();
    let unheld = done("release", 0);
    for (text, model, exit, expected) in [
        (&twice, "reentrant-mutex", 0, "valid"),
        (&twice, "owner-mutex", 1, "but `1` holds it since"),
        (&backwards, "owner-mutex", 0, "valid"),
        (&backwards, "fenced-mutex", 1, "but token 2 was given before"),
        (&unheld, "mutex", 1, "`1` gave it back (line 1), but nobody holds it"),
    ] {
        let output = check(&place, "history.jsonl", text.as_bytes(), &["--model", model]);
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(exit), "{model}: {said}{}", stderr(&output));
        assert!(said.contains(expected), "{model}: {said}");
    }
}

#[test]
fn our_own_runs_are_judged() {
    let place = Place::new();
    place.scenario("s", &small(r#"["none", "redis-set-nx"]"#, "[require]\nbookings = 1\n"));
    let fixed = ["run", "s.toml", "--world", "sim", "--seed", "7", "--out", "r"];
    let ran = place.lockproof().args(fixed).output().unwrap();
    assert!(ran.status.code().is_some_and(|code| code < 4), "{}", stderr(&ran));
    let judged = |strategy: &str| {
        let file = format!("r/latest/histories/s.{strategy}.ndjson.zst");
        place.lockproof().args(["check", &file]).output().unwrap()
    };
    let (none, lock) = (judged("none"), judged("redis-set-nx"));
    assert_eq!(lock.status.code(), Some(0), "{}{}", stdout(&lock), stderr(&lock));
    assert_eq!(none.status.code(), Some(1), "{}{}", stdout(&none), stderr(&none));
    assert!(stdout(&none).contains("`slot "), "{}", stdout(&none));
    // The same file, cut in its middle.
    let path = place.path().join("r/latest/histories/s.redis-set-nx.ndjson.zst");
    let whole = std::fs::read(path).unwrap();
    refused("cut.ndjson.zst", &whole[..whole.len() / 2], "line ");
}

#[test]
fn files_that_are_no_history_are_refused_where_they_are_wrong() {
    refused("empty.edn", b"", "empty.edn:1:1: the file holds no operation on a lock");
    refused("empty.jsonl", b"", "empty.jsonl:1:1: the file holds no operation on a lock");
    refused("empty.ndjson.zst", b"", "line 1");
    let cut = GOOD.trim_end().strip_suffix('}').unwrap();
    refused("cut.edn", cut.as_bytes(), "cut.edn:7:46: the file ends in the middle of a form");
    refused("cut.jsonl", b"\n{\"process\":1,\"type", "cut.jsonl:2:");
    refused(
        "corrupt.edn",
        b"{:type :invoke, \xff\xfe",
        "corrupt.edn:1:17: bytes that are no UTF-8",
    );
    refused("corrupt.jsonl", b"\xff\xfe\n", "corrupt.jsonl:1:1: no JSON");
    refused("corrupt.ndjson.zst", b"this was never compressed", "line 1");
    refused("history.txt", b"", "use --input ours, edn or jsonl");
}

#[test]
fn a_line_that_is_huge_is_refused_before_it_is_held() {
    let huge = vec![b'['; 3 << 20];
    refused("deep.edn", &huge, "deep.edn:1:");
    refused("huge.jsonl", &huge, "huge.jsonl:1:1: a line of more than 1048576 bytes");
    let text = [b"{:error \"", vec![b'a'; 3 << 20].as_slice()].concat();
    refused("huge.edn", &text, "huge.edn:1:");
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let output = Place::new().lockproof().args(["check", "no.edn"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot read no.edn"), "{}", stderr(&output));
}

//! A scenario that puts a service to the test: what it comes to, and what is said of one that is wrong.

use lockproof_model::Step;
use lockproof_scenario::{ServicePlace, resolved};

use crate::support::{read, refused};

/// A scenario of a service that is fine; `[target.book]` is at line 6, and its body at line 8.
const FINE: &str = r#"schema_version = 1
[target]
kind = "http"
command = ["lockproof", "serve", "--listen", "127.0.0.1:{port}"]
environment = { REDIS_HOST = "{redis_host}", DATABASE_URL = "{database_url}" }
[target.book]
request = "POST /bookings"
body = '{"slot":{slot},"lockId":"{lock_id}","customer":"{reference}"}'
refused = [409, 422]
[target.acquire]
request = "POST /locks"
body = '{"slot":{slot},"ttl":{ttl_ms}}'
capture = { lock_id = "/lockId" }
[target.release]
request = "DELETE /locks/{lock_id}"
unless-booked = true
[target.bookings]
database-url = "{database_url}"
query = "SELECT id FROM bookings WHERE slot = {slot}"
[[target.variant]]
name = "guard-none"
arguments = ["--guard", "none"]
[[target.variant]]
name = "guard-unique"
arguments = ["--guard", "unique"]
[workload]
holders = 20
bookings = 20
[lock]
ttl = "2s"
[expect]
guard-none = "duplicates"
guard-unique = { bookings = 1 }
[expect-answers]
book = { 5xx = 0 }
[expect-answers.guard-unique]
book = { 201 = 1, 409 = { at-most = 19 } }
"#;

fn with(from: &str, to: &str) -> String {
    assert!(FINE.contains(from), "{from} is not in the scenario");
    FINE.replacen(from, to, 1)
}

#[test]
fn a_service_is_a_cell_for_each_of_its_variants_on_the_servers_that_it_is_told_of() {
    let scenario = read(FINE).unwrap();
    let target = scenario.target.as_ref().unwrap();
    let names: Vec<_> = scenario.cells.iter().map(|cell| cell.strategy.to_string()).collect();
    assert_eq!(names, ["guard-none", "guard-unique"]);
    assert!(scenario.cells[0].expect.is_duplicates());
    assert_eq!(scenario.redis_servers(&scenario.cells[0].strategy), 1);
    assert!(target.database);
    let steps = [Step::Acquire, Step::Work, Step::Commit, Step::Release];
    assert_eq!(scenario.load.flow.steps, steps);
    let ServicePlace::Started(command) = &target.variants[1].place else { panic!("not started") };
    assert_eq!(command.arguments.last().unwrap().text(), "unique");
    let counts = scenario.answers_of(&scenario.cells[1]).count();
    assert_eq!((counts, scenario.answers_of(&scenario.cells[0]).count()), (3, 1));
    assert!(scenario.needs_live().is_some(), "there is no model of it");
}

#[test]
fn it_reads_the_same_as_it_is_rendered_and_so_does_one_variant_of_it() {
    let whole = read(FINE).unwrap();
    let rendered = resolved(&whole);
    assert_eq!(resolved(&read(&rendered).unwrap()), rendered);
    let mut part = whole;
    part.cells.remove(0);
    let rendered = resolved(&part);
    assert!(!rendered.contains("guard-none"), "{rendered}");
    assert_eq!(read(&rendered).unwrap().cells.len(), 1);
}

#[test]
fn what_a_template_cannot_know_is_placed_with_what_was_meant() {
    refused(
        &with("\"lockId\":\"{lock_id}\"", "\"lockId\":\"{lockid}\""),
        &[
            "bad.toml:8:8: nothing is known here that {lockid} could stand for; did you mean `lock_id`? available:",
        ],
    );
    refused(
        &with("WHERE slot = {slot}", "WHERE attempt = {attempt}"),
        &["bad.toml:19:9: nothing is known here that {attempt} could stand for; available:"],
    );
    refused(
        &with("{redis_host}", "{redis_hst}"),
        &[
            "bad.toml:5:30: nothing is known here that {redis_hst} could stand for; did you mean `redis_host`? available:",
        ],
    );
    refused(
        &with("{reference}", "{env.LOCKPROOF_NO_SUCH_VARIABLE}"),
        &[
            "bad.toml:8:8: the environment has no LOCKPROOF_NO_SUCH_VARIABLE, which {env.LOCKPROOF_NO_SUCH_VARIABLE} stands for; set it",
        ],
    );
}

#[test]
fn a_request_that_is_none_is_placed() {
    refused(
        &with("\"POST /bookings\"", "\"PSOT /bookings\""),
        &["bad.toml:7:11: unknown method `PSOT`; did you mean `POST`? available:"],
    );
    refused(
        &with("\"POST /bookings\"", "\"POST bookings\""),
        &["bad.toml:7:11: `bookings` is no path: it begins with a slash and has no spaces"],
    );
    refused(
        &with("[409, 422]", "[409, \"6xx\"]"),
        &["bad.toml:9:17: `6xx` is no status: write 409, or \"5xx\" for all of its kind"],
    );
    let refusal = read(&with("\"/lockId\"", "\"$.lockId\"")).unwrap_err();
    let told = "bad.toml:13:23: `$.lockId` is no JSON pointer: it is empty or begins with a slash; did you mean `/lockId`?";
    assert!(refusal.contains(told), "{refusal}");
    refused(
        &with("refused =", "refsued ="),
        &["bad.toml:9:1: unknown key `refsued` in [book]; did you mean `refused`? available:"],
    );
}

#[test]
fn what_belongs_to_our_own_locks_is_refused_of_a_service() {
    refused(
        &with("schema_version = 1\n", "schema_version = 1\nstrategies = [\"redlock\"]\n"),
        &[
            "bad.toml:2:1: a [target] has a lock and a guard of its own; what `strategies` are elsewhere are its [[target.variant]]s",
        ],
    );
    refused(
        &with("ttl = \"2s\"", "ttl = \"2s\"\nservers = 3"),
        &["bad.toml:31:1: the lock is the service's: of it only `ttl` and `wait` are said here"],
    );
    refused(
        &with("holders = 20", "holders = 20\nflow = \"outbox\""),
        &["bad.toml:28:1: the flow is the requests of [target]; leave `flow` out"],
    );
    refused(
        &with("\"guard-none\"", "\"redlock\""),
        &[
            "bad.toml:21:8: `redlock` means something else already; call it service-redlock, say",
            "bad.toml:32:1: [expect] names `guard-none`, which `strategies` does not; available:",
        ],
    );
}

#[test]
fn a_fault_that_cannot_reach_a_service_is_refused_with_the_reason() {
    let fault = "[[fault]]\nkind = \"expire-lock\"\nat = \"before-commit\"\n[expect]";
    let refusal = read(&with("[expect]", fault)).unwrap_err();
    assert!(refusal.contains("bad.toml:32:1:"), "{refusal}");
    assert!(refusal.contains("which key its lock has only the service knows"), "{refusal}");
    let fault = "[[fault]]\nkind = \"pause-holder\"\nat = \"after-insert\"\nfor = \"1s\"\n[expect]";
    let refusal = read(&with("[expect]", fault)).unwrap_err();
    assert!(refusal.contains("the flow http has no step `insert`"), "{refusal}");
    assert!(refusal.contains("it has acquire, work, commit, release"), "{refusal}");
}

#[test]
fn a_service_is_somewhere_and_has_bookings() {
    let nowhere = "schema_version = 1\n[target]\nkind = \"http\"\n[workload]\nbookings = 1\n";
    let refusal = read(nowhere).unwrap_err();
    for why in ["what books?", "[target.bookings] is missing", "where is the service?"] {
        assert!(refusal.contains(why), "{refusal}");
    }
    refused(
        &with("127.0.0.1:{port}", "127.0.0.1:80"),
        &[
            "bad.toml:4:1: nothing tells the service where to listen: have {port} in `command` or `environment`",
        ],
    );
}

#[test]
fn answers_are_counted_of_requests_that_are_made() {
    refused(
        &with("book = { 5xx = 0 }", "verify = { 5xx = 0 }"),
        &["bad.toml:35:1: [target] makes no request `verify`"],
    );
    refused(
        &with("book = { 5xx = 0 }", "bokk = { 5xx = 0 }"),
        &["bad.toml:35:1: `bokk` is no request and no variant; did you mean `book`? available:"],
    );
}

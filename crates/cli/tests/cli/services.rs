//! A scenario that puts a service to the test, as a user meets it: services that run, and one that is started.

use std::path::PathBuf;

use serde_json::Value;

use crate::shop::{Shop, Till};
use crate::{Place, stderr, stdout};

/// Ten customers of the shop at `base` who want the same slot, with `rest` appended.
fn scenario(variants: &[(&str, &Shop)], rest: &str) -> String {
    let variant = |(name, shop): &(&str, &Shop)| {
        format!("[[target.variant]]\nname = \"{name}\"\nbase-url = \"{}\"\n", shop.base())
    };
    let variants: String = variants.iter().map(variant).collect();
    format!(
        r#"schema_version = 1
[target]
kind = "http"
[target.acquire]
request = "POST /locks"
body = '{{"slot":"{{run}}-{{slot}}","ttl":{{ttl_ms}}}}'
capture = {{ lock_id = "/lockId", token = "/token" }}
[target.book]
request = "POST /bookings"
body = '{{"slot":"{{run}}-{{slot}}","lockId":"{{lock_id}}","customer":"{{reference}}"}}'
capture = {{ booking = "/id" }}
[target.release]
request = "DELETE /locks/{{lock_id}}"
refused = [404]
[target.bookings]
request = "GET /bookings/{{run}}-{{slot}}"
rows = "/bookings"
id = "/id"
reference = "/customer"
{variants}
[workload]
holders = 10
bookings = 10
[lock]
ttl = "100ms"
wait = {{ tries = 200, delay = "5ms" }}
{rest}"#
    )
}

/// The first customer has the lock and stands still for longer than that lasts.
const PAUSED: &str =
    "[[fault]]\nkind = \"pause-holder\"\nat = \"before-commit\"\nnth = 1\nfor = \"300ms\"\n";

fn run(place: &Place, path: &PathBuf, more: &[&str]) -> std::process::Output {
    place.lockproof().args(["run", "--format", "json"]).args(more).arg(path).output().unwrap()
}

#[test]
fn a_shop_that_trusts_its_lock_sells_twice_and_one_that_asks_for_it_does_not() {
    let (trusting, checking) = (Shop::open(Till::TrustsTheLock), Shop::open(Till::AsksForTheLock));
    let expect = "[expect]\ntrusting = \"duplicates\"\nchecking = { bookings = 1 }\n[expect-answers.checking]\nbook = { 201 = 1, 5xx = 0 }\n";
    let text =
        scenario(&[("trusting", &trusting), ("checking", &checking)], &format!("{PAUSED}{expect}"));
    let place = Place::new();
    let output = run(&place, &place.scenario("shop", &text), &[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [trusting, checking] = [0, 1].map(|cell| &report["cells"][cell]);
    assert!(trusting["duplicates"].as_u64() > Some(0), "{trusting}");
    assert_eq!((&checking["bookings"], &checking["duplicates"]), (&1.into(), &0.into()));
    let answers = checking["answers"].as_array().unwrap();
    let booked = |answer: &&Value| answer["request"] == "book" && answer["status"] == 201;
    assert_eq!(answers.iter().find(booked).unwrap()["count"], 1);
    assert_eq!(trusting["injections"].as_array().unwrap().len(), 1, "the fault hit a step");
    let story = &trusting["stories"][0]["lines"];
    assert!(story.to_string().contains("holder"), "the rows were told apart by their references");
}

#[test]
fn a_shop_that_sells_twice_where_it_should_not_exits_1_and_so_does_an_answer_too_many() {
    let shop = Shop::open(Till::TrustsTheLock);
    let place = Place::new();
    let output = run(&place, &place.scenario("twice", &scenario(&[("shop", &shop)], PAUSED)), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains("none expected"), "{}", stdout(&output));
    let shop = Shop::open(Till::AsksForTheLock);
    let expect = "[expect-answers]\nbook = { 201 = 2 }\n";
    let path = place.scenario("answers", &scenario(&[("shop", &shop)], expect));
    let output = run(&place, &path, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let told = "book was answered with 201 1 time, 2 expected";
    assert!(stdout(&output).contains(told), "{}", stdout(&output));
}

#[test]
fn a_shop_that_is_closed_exits_5_and_says_where_it_should_be() {
    let shop = Shop::open(Till::AsksForTheLock);
    let text = scenario(&[("shop", &shop)], "");
    drop(shop);
    let place = Place::new();
    let output = run(&place, &place.scenario("closed", &text), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stdout(&output));
    assert!(stdout(&output).contains("cannot be reached"), "{}", stdout(&output));
}

#[test]
fn a_service_is_started_for_each_cell_and_reached_by_the_variants_name() {
    // Any service will do whose second answer is a conflict: a slot is a proxy of that name.
    let text = r#"schema_version = 1
[target]
kind = "http"
command = ["lockproof", "proxy", "--api", "127.0.0.1:{port}"]
ready = "/version"
[target.book]
request = "POST /proxies"
body = '{"name":"slot-{slot}","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}'
[target.bookings]
request = "GET /proxies"
rows = ""
[[target.variant]]
name = "first"
[[target.variant]]
name = "second"
[workload]
holders = 5
bookings = 5
[expect]
second = { bookings = 1 }
[expect-answers]
book = { 201 = 1, 409 = 4 }
"#;
    let place = Place::new();
    let path = place.scenario("started", text);
    let output = run(&place, &path, &["--strategy", "second"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["cells"].as_array().unwrap().len(), 1);
    let kept = place.path().join("reports/latest/scenarios/started.toml");
    let again = run(&place, &kept, &[]);
    assert_eq!(again.status.code(), Some(0), "{}{}", stdout(&again), stderr(&again));
}

#[test]
fn a_service_that_does_not_start_exits_5_with_its_last_words() {
    let text = "schema_version = 1\n[target]\nkind = \"http\"\ncommand = [\"sh\", \"-c\", \"echo no room >&2; exit 7\", \"{port}\"]\n[target.book]\nrequest = \"POST /b\"\n[target.bookings]\nrequest = \"GET /b\"\nrows = \"\"\n[workload]\nbookings = 1\n";
    let place = Place::new();
    let output = run(&place, &place.scenario("dead", text), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stdout(&output));
    assert!(stdout(&output).contains("exit status: 7: no room"), "{}", stdout(&output));
}

#[test]
fn a_wrong_template_exits_2_with_its_place_before_anything_is_started() {
    let shop = Shop::open(Till::AsksForTheLock);
    let text = scenario(&[("shop", &shop)], "").replace("{lock_id}\",", "{lockid}\",");
    let place = Place::new();
    let path = place.scenario("wrong", &text);
    let output = run(&place, &path, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let told = format!(
        "{}:10:8: nothing is known here that {{lockid}} could stand for; did you mean `lock_id`?",
        path.display()
    );
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    assert_eq!(shop.asked(), 0);
}

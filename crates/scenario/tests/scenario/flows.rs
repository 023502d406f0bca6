//! Flows, and the fields that only some of them have.

use std::time::Duration;

use lockproof_scenario::{Strategy, resolved};
use lockproof_workload::{ENTRIES, FlowField};

use crate::support::{FINE, read, refused, with};

/// [`FINE`] with that flow and those fields.
fn flow(name: &str, fields: &str) -> String {
    with("holders = 4", &format!("flow = \"{name}\"\nholders = 4\n{fields}"))
}

#[test]
fn every_flow_is_read_by_its_name_and_written_out_with_its_fields() {
    for entry in ENTRIES {
        let fields = entry.fields.iter().map(|field| match field {
            FlowField::Think => "think = \"40ms\"",
            FlowField::Refresh => "refresh = \"30ms\"",
            FlowField::Segments => "segments = 3\nslots = 6",
            FlowField::Nights => "nights = 4",
        });
        let scenario = read(&flow(entry.name, &fields.collect::<Vec<_>>().join("\n"))).unwrap();
        assert_eq!(scenario.load.flow.name, entry.name);
        let again = read(&resolved(&scenario)).unwrap();
        assert_eq!(again.load.settings, scenario.load.settings, "{}", entry.name);
        assert_eq!(resolved(&again), resolved(&scenario));
    }
}

#[test]
fn what_a_flow_is_told_reaches_it() {
    let text = flow("reserve-then-confirm", "think = \"2s\"\nrefresh = \"30ms\"\nwork = \"1ms\"");
    let settings = read(&text).unwrap().load.settings;
    assert_eq!(settings.think, Duration::from_secs(2));
    assert_eq!(settings.refresh, Some(Duration::from_millis(30)));
    assert_eq!(settings.work, Duration::from_millis(1));
    assert_eq!(read(&flow("room-nights", "nights = 7")).unwrap().load.settings.parts, 7);
    assert_eq!(read(&flow("compound", "slots = 4")).unwrap().load.settings.parts, 2, "unless said");
}

#[test]
fn an_unknown_flow_is_placed_with_what_was_meant() {
    refused(
        &flow("reserve-than-confirm", ""),
        &[
            "bad.toml:5:8: unknown flow `reserve-than-confirm`; did you mean `reserve-then-confirm`? available:",
        ],
    );
}

#[test]
fn a_field_that_the_flow_does_not_have_is_refused_with_those_that_do() {
    refused(
        &with("holders = 4", "holders = 4\nthink = \"1s\""),
        &[
            "bad.toml:6:1: the flow lock-and-book has no `think` (how long the customer thinks); flows that have: reserve-then-confirm, check-then-book",
        ],
    );
    refused(
        &flow("room-nights", "segments = 3"),
        &[
            "bad.toml:7:1: the flow room-nights has no `segments` (how many neighbouring slots a booking takes; 2 unless said); flows that have: compound, compound-unordered",
        ],
    );
    refused(
        &flow("hold-and-extend", "refersh = \"10ms\""),
        &["bad.toml:7:1: unknown key `refersh` in [workload]; did you mean `refresh`? available:"],
    );
}

#[test]
fn a_renewal_takes_an_interval() {
    refused(
        &flow("hold-and-extend", "refresh = \"0s\""),
        &["bad.toml:7:11: `refresh` is longer than nothing"],
    );
}

#[test]
fn slots_come_in_whole_bookings() {
    refused(
        &flow("compound", "segments = 3\nslots = 7"),
        &[
            "bad.toml:8:9: a booking takes 3 neighbouring slots, so there is a multiple of that: slots = 9",
        ],
    );
    refused(
        &flow("compound", "segments = 0\nslots = 6"),
        &["bad.toml:7:12: `segments` is a whole number from 1 to 32"],
    );
}

#[test]
fn a_guard_that_needs_a_token_is_refused_where_a_check_has_none() {
    let fencing = FINE.replace("\"redlock\"", "\"redis-set-nx+fencing\"");
    let of =
        |flow: &str| fencing.replace("holders = 4", &format!("flow = \"{flow}\"\nholders = 4"));
    refused(
        &of("check-then-book"),
        &[
            "bad.toml:5:8: redis-set-nx+fencing presents a fencing token at each check, which the flow check-then-book does not have: its check comes before its lock; leave the strategy out, or choose a guard that needs no token",
        ],
    );
    let optional = read(&flow("lock-optional", "")).unwrap();
    let added = Strategy::parse("redis-set-nx+fencing").unwrap();
    let why = optional.admits(&added).unwrap_err();
    assert!(why.contains("its old callers book without a lock"), "{why}");
    assert!(optional.admits(&optional.cells[0].strategy).is_ok());
}

#[test]
fn a_fault_at_a_step_that_the_flow_does_not_have_is_refused() {
    let text = |name, at: &str| {
        let fault = format!("kind = \"pause-holder\"\nat = \"{at}\"\nfor = \"1s\"");
        format!("{}\n[[fault]]\n{fault}\n", flow(name, ""))
    };
    assert!(read(&text("reserve-then-confirm", "after-verify")).is_ok());
    let why = read(&text("lock-and-book", "after-verify")).unwrap_err();
    assert!(why.contains("the flow lock-and-book has no step `verify`"), "{why}");
}

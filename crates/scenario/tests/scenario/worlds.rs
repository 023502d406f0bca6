//! Scenarios that run in one world alone.

use lockproof_scenario::resolved;

use crate::support::{FINE, read, refused, with_fault};

#[test]
fn a_scenario_of_one_world_says_why() {
    refused(
        &format!("only = \"sim\"\n{FINE}"),
        &["bad.toml:1:8: `only` needs its reason beside it: because = \"…\""],
    );
    refused(
        &format!("only = \"sim\"\nbecause = \" \"\n{FINE}"),
        &["bad.toml:2:11: `because` says why, and does not"],
    );
    refused(
        &format!("because = \"it is\"\n{FINE}"),
        &["bad.toml:1:1: `because` goes with `only`; write only = \"sim\" or only = \"live\""],
    );
    refused(
        &format!("only = \"both\"\nbecause = \"it is\"\n{FINE}"),
        &["bad.toml:1:8: `both` is no world; write sim or live"],
    );
    refused(
        &format!("only = \"sim\"\nbecause = 3\n{FINE}"),
        &["bad.toml:2:11: `because` takes a string, found integer"],
    );
    refused(
        &format!("ony = \"sim\"\n{FINE}"),
        &["bad.toml:1:1: unknown key `ony` in a scenario; did you mean `only`? available:"],
    );
}

#[test]
fn a_world_and_its_reason_are_written_out() {
    for (world, other) in [("sim", "live"), ("live", "sim")] {
        let text = format!("only = \"{world}\"\nbecause = \"the other is too slow\"\n{FINE}");
        let scenario = read(&text).unwrap();
        let written = resolved(&scenario);
        assert!(written.contains(text.lines().next().unwrap()), "{written}");
        let again = read(&written).unwrap();
        assert_eq!((again.only.as_ref(), resolved(&again)), (scenario.only.as_ref(), written));
        let (sim, live) = (scenario.needs_simulation(), scenario.needs_live());
        let why = if other == "live" { sim.clone() } else { live.clone() };
        assert!(why.unwrap().ends_with("world alone: the other is too slow"));
        assert!(sim.is_none() || live.is_none());
    }
}

#[test]
fn what_happens_to_links_happens_in_both_worlds_but_for_a_request_that_comes_twice() {
    let scenario = |fields: &str| read(&with_fault(fields)).unwrap();
    for fields in [
        "kind = \"lose-reply\"\nfrom = \"1s\"\nlinks = \"redis\"",
        "kind = \"partition\"\nfrom = \"1s\"\nlinks = \"redis\"\ndirection = \"to-client\"",
        "kind = \"rule\"\nlinks = \"redis\"\nthen = \"reset\"",
        "kind = \"kill-holder\"\nat = \"before-commit\"\nfor = \"1s\"",
    ] {
        let scenario = scenario(fields);
        assert_eq!((scenario.needs_simulation(), scenario.needs_live()), (None, None), "{fields}");
    }
    let twice = scenario("kind = \"rule\"\nlinks = \"redis\"\nthen = \"duplicate\"");
    assert_eq!(
        twice.needs_live().unwrap(),
        "fault 1 is a rule that duplicates a request, which only the live world can do"
    );
    assert_eq!(read(FINE).unwrap().needs_simulation(), None);
}

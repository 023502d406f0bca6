//! What is said of a `[[fault]]` that cannot fire.

use std::time::Duration;

use lockproof_faults::{Choice, Trigger};
use lockproof_model::{Point, Step};
use lockproof_rig::LinkUse;

use crate::support::{FINE, read, refused, with_fault};

#[test]
fn an_unknown_fault_is_placed_with_what_was_meant() {
    refused(
        &with_fault("kind = \"latncy\""),
        &["bad.toml:12:8: unknown fault `latncy`; did you mean `latency`? available:"],
    );
    refused(
        &with_fault("at = \"after-check\""),
        &[r#"bad.toml:11:1: `kind` is missing; for example kind = "pause-holder""#],
    );
    refused(
        &format!("{FINE}\nfault = 3\n").replace("[lock]\nttl = \"250ms\"\n", ""),
        &["bad.toml:9:1: unknown key `fault` in [workload]; available:"],
    );
}

#[test]
fn a_fault_at_a_step_that_the_flow_lacks_would_never_fire() {
    refused(
        &with_fault("kind = \"pause-holder\"\nat = \"after-verify\"\nfor = \"1s\""),
        &[
            "bad.toml:13:6: the flow lock-and-book has no step `verify`, so this fault would never fire; it has acquire, begin, check, work, insert, commit, release",
        ],
    );
    refused(
        &with_fault("kind = \"pause-holder\"\nat = \"after-chekc\"\nfor = \"1s\""),
        &[
            "bad.toml:13:6: `after-chekc` names no point of a booking; a point is before-, answer- or after- and a step, as in after-check; did you mean `after-check`?",
        ],
    );
}

#[test]
fn a_fault_on_a_link_that_a_strategy_lacks_is_refused() {
    let partition =
        |links: &str| with_fault(&format!("kind = \"partition\"\nfrom = \"0ms\"\nlinks = {links}"));
    refused(
        &partition("\"redis-3\""),
        &["bad.toml:11:1: redis-set-nx has no link redis-3: it runs on 1 Redis servers"],
    );
    refused(
        &partition("\"redis-minority\""),
        &["bad.toml:11:1: redis-set-nx has no link redis-minority: it runs on 1 Redis servers"],
    );
    refused(&partition("\"rdis\""), &["bad.toml:14:1: `rdis` names no link; available:"]);
    refused(
        &partition("[]"),
        &[r#"bad.toml:14:1: `links` is missing; for example links = "redis-minority""#],
    );
    refused(&partition("3"), &["bad.toml:14:1: `links` takes strings, not an integer"]);
    refused(
        &partition("\"redis\"").replace("\"redlock\"", "\"row-lock\""),
        &["bad.toml:11:1: row-lock has no link redis: it runs on 0 Redis servers"],
    );
}

#[test]
fn a_fault_of_a_server_that_a_strategy_lacks_is_refused() {
    let crash = |servers: &str| {
        with_fault(&format!("kind = \"crash-server\"\nfrom = \"0ms\"\nservers = {servers}"))
    };
    refused(
        &crash("\"redis-3\""),
        &["bad.toml:11:1: redis-set-nx has no server redis-3: it runs on 1 Redis servers"],
    );
    refused(
        &with_fault("kind = \"evict\"\nfrom = \"0ms\"\nservers = [\"redis-1\", \"database\"]"),
        &["bad.toml:14:1: `database` is no Redis server, and no other can suffer this; available:"],
    );
    refused(
        &format!("{}keeps = \"nothing\"\n", crash("\"database\"")),
        &[
            "bad.toml:15:1: a database keeps all that was committed; leave `keeps` out, and write a fault of its own for Redis servers that keep less",
        ],
    );
    refused(
        &crash("[\"redis-1\", \"database\"]"),
        &[
            "bad.toml:11:1: a database keeps all that was committed; leave `keeps` out, and write a fault of its own for Redis servers that keep less",
        ],
    );
    refused(&crash("\"rdis\""), &["bad.toml:14:1: `rdis` names no server; available:"]);
    refused(
        &crash("[]"),
        &[r#"bad.toml:14:1: `servers` is missing; for example servers = "redis-1""#],
    );
    refused(
        &format!("{}keeps = \"some\"\n", crash("\"redis\"")),
        &[
            "bad.toml:15:1: `some` is nothing that a server keeps; write nothing, every-second or everything",
        ],
    );
}

#[test]
fn a_clock_goes_wrong_by_a_figure_that_there_is() {
    let clock = |kind: &str, figure: &str| {
        with_fault(&format!("kind = \"{kind}\"\nfrom = \"0ms\"\nservers = \"redis\"\n{figure}"))
    };
    refused(
        &clock("clock-jump", ""),
        &[r#"bad.toml:11:1: `by` is missing; for example by = "+2s", or "-500ms" back"#],
    );
    refused(
        &clock("clock-jump", "by = \"+1us\""),
        &[
            "bad.toml:15:1: `+1us` is no jump; a clock jumps by whole milliseconds, at least one and at most a year: +2s, -500ms",
        ],
    );
    let rate = "a clock that drifts has a rate from 0 to 100 that is not 1: 1.5, 0.5";
    for wrong in ["1", "1.0", "-0.5", "nan", "101"] {
        refused(
            &clock("clock-drift", &format!("rate = {wrong}")),
            &[&format!("bad.toml:15:1: {rate}")],
        );
    }
    refused(
        &clock("clock-drift", "rate = \"fast\""),
        &["bad.toml:15:1: `rate` takes a number, not a string"],
    );
    for right in ["0", "2", "0.5", "1.001"] {
        read(&clock("clock-drift", &format!("rate = {right}"))).unwrap();
    }
    refused(
        &with_fault("kind = \"failover\"\nat = \"before-release\"\nservers = \"redis\""),
        &[r#"bad.toml:11:1: `lag` is missing; for example lag = "5ms""#],
    );
    refused(
        &with_fault(
            "kind = \"failover\"\nat = \"before-release\"\nservers = \"redis\"\nlag = \"5ms\"\nfor = \"1s\"",
        ),
        &["bad.toml:11:1: failover is over at once; remove `for`"],
    );
}

#[test]
fn a_partition_goes_one_way_of_two() {
    let partition = "kind = \"partition\"\nfrom = \"0ms\"\nlinks = \"redis\"\ndirection = \"up\"";
    refused(
        &with_fault(partition),
        &["bad.toml:15:1: `up` is no direction; write to-server or to-client"],
    );
}

#[test]
fn a_lock_cannot_be_dropped_where_there_is_none() {
    let text = with_fault("kind = \"expire-lock\"\nat = \"after-check\"");
    refused(
        &text.replace("\"redlock\"", "\"row-lock\""),
        &["bad.toml:11:1: row-lock has no server that could drop a lock"],
    );
}

#[test]
fn a_fault_says_when_and_in_one_way() {
    refused(
        &with_fault("kind = \"pause-holder\""),
        &[r#"bad.toml:11:1: when? write at = "after-check" for a step, or from = "1s" for a time"#],
    );
    refused(
        &with_fault("kind = \"pause-holder\"\nat = \"after-check\"\nfrom = \"1s\"\nfor = \"1s\""),
        &["bad.toml:13:6: a fault has either `at` or `from`, not both"],
    );
    refused(
        &with_fault("kind = \"expire-lock\"\nfrom = \"1s\""),
        &["bad.toml:11:1: expire-lock hits a holder at a step; write `at` instead of `from`"],
    );
    refused(
        &with_fault("kind = \"slow-commit\"\nat = \"before-commit\"\nfor = \"1s\""),
        &["bad.toml:13:6: slow-commit always comes at before-commit; remove `at`"],
    );
    refused(
        &with_fault(
            "kind = \"pause-holder\"\nat = \"after-check\"\nfor = \"1s\"\nevery = 2\nnth = 3",
        ),
        &["bad.toml:11:1: a fault has one of `every`, `nth` and `probability`"],
    );
    refused(
        &with_fault("kind = \"pause-holder\"\nat = \"after-check\"\nfor = \"1s\"\nuntil = \"2s\""),
        &["bad.toml:11:1: `until` goes with `from`; at a step write `for` or `until-event`"],
    );
    refused(
        &with_fault("kind = \"pause-holder\"\nfrom = \"1s\"\nevery = 2"),
        &["bad.toml:11:1: `every` goes with `at`; a time window has `from` and `until`"],
    );
}

#[test]
fn a_fault_says_how_long() {
    refused(
        &with_fault("kind = \"pause-holder\"\nat = \"after-check\""),
        &[r#"bad.toml:11:1: pause-holder at a step lasts; say how long at most: for = "500ms""#],
    );
    refused(
        &with_fault("kind = \"expire-lock\"\nat = \"after-check\"\nfor = \"1s\""),
        &["bad.toml:11:1: expire-lock is over at once; remove `for`"],
    );
    refused(
        &with_fault("kind = \"pause-holder\"\nfrom = \"2s\"\nuntil = \"1s\""),
        &["bad.toml:14:9: `until` is not after `from`"],
    );
    let event = "kind = \"pause-holder\"\nat = \"after-check\"\nfor = \"1s\"\nuntil-event = \"another-lunch\"";
    refused(
        &with_fault(event),
        &[
            "bad.toml:15:15: `another-lunch` names no event; an event is another- and a step, as in another-commit",
        ],
    );
}

#[test]
fn a_field_that_a_fault_does_not_have_is_unknown() {
    let at = "at = \"after-check\"\nfor = \"1s\"";
    refused(
        &with_fault(&format!("kind = \"pause-holder\"\n{at}\nlinks = \"redis\"")),
        &["bad.toml:15:1: unknown key `links` in a pause-holder fault; available:"],
    );
    refused(
        &with_fault(&format!("kind = \"latency\"\n{at}\nlinks = \"redis\"\ndelya = \"1ms\"")),
        &[
            r#"bad.toml:11:1: `delay` is missing; for example delay = "20ms""#,
            "bad.toml:16:1: unknown key `delya` in a latency fault; did you mean `delay`? available:",
        ],
    );
    refused(
        &with_fault(&format!("kind = \"latency\"\n{at}\nlinks = \"redis\"\ndelay = 3")),
        &["bad.toml:16:1: `delay` takes a string, not an integer"],
    );
    refused(
        &with_fault("kind = \"slow-commit\"\nfor = \"1s\"\nside = \"left\""),
        &["bad.toml:14:1: `left` is no side of a commit; write request or answer"],
    );
}

#[test]
fn a_fault_for_holders_names_those_that_there_are() {
    let holders = |list: &str| {
        with_fault(&format!("kind = \"pause-holder\"\nfrom = \"0ms\"\nholders = {list}"))
    };
    refused(&holders("[1, 5]"), &["bad.toml:14:15: holders are numbered from 1 to 4"]);
    refused(&holders("3"), &["bad.toml:14:11: `holders` takes an array of numbers: [1, 3]"]);
    let scenario = read(&holders("[1, 0x4]")).unwrap();
    assert_eq!(scenario.faults[0].holders, [1, 4].map(lockproof_model::HolderId));
}

#[test]
fn a_rule_that_could_never_match_is_refused_at_its_field() {
    let rule = |fields: &str| with_fault(&format!("kind = \"rule\"\nlinks = \"redis\"\n{fields}"));
    refused(
        &rule("then = \"reset\"\ncommand = \"SETT\""),
        &["bad.toml:15:1: `SETT` is no command of Redis 7; did you mean `SET`?"],
    );
    refused(
        &rule("then = \"reset\"\ncommand = \"PING\"\nkey = \"seat:*\""),
        &["bad.toml:16:1: PING has no key, so this rule could never match"],
    );
    refused(
        &rule("then = \"reset\"\nkey = \"seat:*\"").replace("\"redis\"\n", "\"database\"\n"),
        &["bad.toml:15:1: a request of Postgres has no key, so this rule could never match"],
    );
    refused(
        &rule("then = \"reset\"").replace("\"redis\"\n", "[\"redis\", \"database\"]\n"),
        &[
            "bad.toml:13:1: a rule reads the requests of Redis or those of the database; write one for each",
        ],
    );
    refused(
        &rule("then = \"reset\"").replace("\"redis\"\n", "\"redis-2\"\n"),
        &["bad.toml:11:1: redis-set-nx has no link redis-2: it runs on 1 Redis servers"],
    );
}

#[test]
fn a_rule_says_what_it_does_and_to_which() {
    let rule = |fields: &str| with_fault(&format!("kind = \"rule\"\nlinks = \"redis\"\n{fields}"));
    refused(
        &rule("command = \"SET\""),
        &[r#"bad.toml:11:1: `then` is missing; for example then = "drop-reply""#],
    );
    refused(
        &rule("then = \"drop\""),
        &["bad.toml:14:1: `drop` is nothing that can be done; available:"],
    );
    refused(&rule("then = \"delay\""), &["bad.toml:14:1: `delay` by how much? say `delay`"]);
    refused(
        &rule("then = \"hold\"\ndelay = \"1s\""),
        &[r#"bad.toml:15:1: `delay` goes with then = "delay" or "delay-reply", not "hold""#],
    );
    refused(&rule("then = \"hold\"\nnth = 0"), &["bad.toml:15:1: `nth` is counted from 1"]);
    refused(
        &rule("then = \"hold\"\nnth = 2\nevery = 2"),
        &["bad.toml:11:1: a rule has one of `every`, `nth` and `probability`"],
    );
    refused(
        &rule("then = \"hold\"\nat = \"before-commit\"\nnth = 2"),
        &[r#"bad.toml:11:1: rule at a step lasts; say how long at most: for = "500ms""#],
    );
}

#[test]
fn a_rule_waits_for_messages_all_the_time_or_from_a_step_on() {
    let trigger = |fields: &str| {
        let text = format!("kind = \"rule\"\nlinks = \"redis\"\nthen = \"hold\"\n{fields}");
        read(&with_fault(&text)).unwrap().faults[0].trigger.clone()
    };
    let always = Trigger::Window { from: Duration::ZERO, until: None };
    assert_eq!(trigger(""), always);
    assert_eq!(trigger("nth = 2"), always);
    let until = Some(Duration::from_secs(2));
    assert_eq!(trigger("until = \"2s\""), Trigger::Window { from: Duration::ZERO, until });
    let at_step = trigger("at = \"before-commit\"\nnth = 2\nfor = \"1s\"");
    assert!(matches!(at_step, Trigger::AtStep { choice: Choice::Nth(2), .. }), "{at_step:?}");
}

#[test]
fn what_is_done_to_one_holder_s_messages_needs_links_of_its_own() {
    let links = |fields: &str| read(&with_fault(fields)).unwrap().link_use();
    let lose = "kind = \"lose-reply\"\nlinks = \"redis\"\nat = \"before-acquire\"\nfor = \"1s\"";
    assert_eq!(links(lose), LinkUse::PerHolder);
    assert_eq!(links("kind = \"rule\"\nlinks = \"redis\"\nthen = \"hold\""), LinkUse::PerHolder);
    assert_eq!(links("kind = \"partition\"\nlinks = \"redis\"\nfrom = \"1s\""), LinkUse::Shared);
}

#[test]
fn the_answer_that_is_lost_at_a_step_is_that_step_s() {
    let lose = "kind = \"lose-reply\"\nlinks = \"redis\"\nat = \"answer-acquire\"\nfor = \"1s\"";
    let trigger = read(&with_fault(lose)).unwrap().faults[0].trigger.clone();
    assert!(
        matches!(trigger, Trigger::AtStep { point, .. } if point == Point::before(Step::Acquire))
    );
}

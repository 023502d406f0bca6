//! What a lock's author has to know of clocks and of restarts, one by one.
//!
//! Each line is run on both servers, and both must give the reply beside it.

use lockproof_redis_model::Reply;

use super::{Event, Keeps, Lives};
use crate::action::line;

const RELEASE: &str = "EVAL|if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end|1|k|mine";
const COUNT: &str = "EVALSHA 2bab3b661081db58bd2341920e0ba7cf5dc77b25 1 l";
const LOAD_COUNT: &str = "SCRIPT|LOAD|return redis.call('incr', KEYS[1])";
const COUNT_DIGEST: &str = "2bab3b661081db58bd2341920e0ba7cf5dc77b25";

/// Commands, `clock +N` and `death +N`, with the reply of each.
fn told(keeps: Keeps, lines: &[(&str, &str)]) {
    let Some(mut lives) = Lives::start(keeps) else { return };
    lives.begin();
    for (number, &(told, wanted)) in lines.iter().enumerate() {
        let event = event(told);
        let reply = lives.event(&event).unwrap_or_else(|why| panic!("line {number}: {why}"));
        assert_eq!(shown(&reply), wanted, "line {number}: {told}");
    }
}

fn event(told: &str) -> Event {
    let millis = |text: &str| text.parse().unwrap_or_else(|_| panic!("{told} by how much?"));
    match told.split_once(' ') {
        Some(("clock", by)) => Event::Jump(millis(by)),
        Some(("death", by)) => Event::Death(millis(by)),
        _ => {
            let separator = if told.contains('|') { '|' } else { ' ' };
            let words: Vec<_> =
                told.split(separator).map(|word| word.as_bytes().to_vec()).collect();
            assert!(!line(&words).is_empty(), "nothing to do");
            Event::Command { connection: 0, words }
        }
    }
}

fn shown(reply: &Reply) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match reply {
        Reply::Integer(number) => number.to_string(),
        Reply::Status(bytes) | Reply::Bulk(bytes) => text(bytes),
        // Its code alone.
        Reply::Error(bytes) => text(bytes).split(' ').next().unwrap_or_default().to_owned(),
        Reply::NullBulk | Reply::NullArray => "nothing".to_owned(),
        Reply::Array(replies) => replies.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => panic!("no command here answers {other:?}"),
    }
}

#[test]
fn a_ttl_ends_with_the_wall_clock_that_was_moved_and_to_the_millisecond() {
    told(
        Keeps::Nothing,
        &[
            ("SET k mine NX PX 10000", "OK"),
            ("clock +10000", "OK"),
            ("PTTL k", "0"),
            ("EXISTS k", "1"),
            ("SET k other NX PX 10000", "nothing"),
            ("clock +1", "OK"),
            ("EXISTS k", "0"),
            ("TTL k", "-2"),
            ("SET k other NX PX 10000", "OK"),
            ("PEXPIRETIME k", "1767225620001"),
        ],
    );
}

#[test]
fn a_clock_that_goes_back_lets_a_key_live_longer_and_brings_none_back() {
    told(
        Keeps::Nothing,
        &[
            ("SET k mine NX PX 1000", "OK"),
            ("SET l mine PX 30000", "OK"),
            ("clock +1001", "OK"),
            ("clock -10000", "OK"),
            ("EXISTS k", "0"),
            ("PTTL l", "38999"),
            ("EXPIRETIME l", "1767225630"),
            ("SET k other NX PX 1000", "OK"),
            ("PEXPIRETIME k", "1767225592001"),
        ],
    );
}

#[test]
fn a_relative_ttl_begins_on_the_clock_of_its_moment() {
    told(
        Keeps::Nothing,
        &[
            ("SET k mine", "OK"),
            ("clock -60000", "OK"),
            ("PEXPIRE k 1000", "1"),
            ("PEXPIRE k 2000 GT", "1"),
            ("PEXPIRE k 2000 GT", "0"),
            ("EXPIRE k 60 LT", "0"),
            ("PEXPIRETIME k", "1767225542000"),
            ("clock +60000", "OK"),
            ("GET k", "nothing"),
        ],
    );
}

#[test]
fn nothing_is_left_of_a_server_that_keeps_nothing() {
    told(
        Keeps::Nothing,
        &[
            ("SET k mine NX PX 10000", "OK"),
            (LOAD_COUNT, COUNT_DIGEST),
            (COUNT, "1"),
            ("death +0", "OK"),
            ("EXISTS k l", "0"),
            (COUNT, "NOSCRIPT"),
            ("SET k other NX PX 10000", "OK"),
            (RELEASE, "0"),
        ],
    );
}

#[test]
fn a_ttl_is_absolute_across_a_restart() {
    told(
        Keeps::Everything,
        &[
            ("SET k mine NX PX 10000", "OK"),
            ("SET l mine", "OK"),
            ("PEXPIRE l 20000", "1"),
            ("SET m mine", "OK"),
            ("death +4000", "OK"),
            ("PTTL k", "6000"),
            ("PTTL l", "16000"),
            ("PTTL m", "-1"),
            ("death -1000", "OK"),
            ("PTTL k", "7000"),
            ("SET k other NX PX 10000", "nothing"),
            (RELEASE, "1"),
        ],
    );
}

#[test]
fn a_key_whose_ttl_ended_while_its_server_was_down_is_gone() {
    told(
        Keeps::Everything,
        &[
            ("SET k mine NX PX 10000", "OK"),
            ("SET l mine NX PX 10001", "OK"),
            ("death +10001", "OK"),
            ("EXISTS k", "0"),
            ("EXISTS l", "1"),
            ("SET k other NX PX 10000", "OK"),
            ("PEXPIRETIME k", "1767225620001"),
        ],
    );
}

#[test]
fn what_ended_or_was_released_before_a_death_does_not_come_back() {
    told(
        Keeps::Everything,
        &[
            ("SET k mine NX PX 10000", "OK"),
            (RELEASE, "1"),
            ("SET l mine NX PX 1000", "OK"),
            ("clock +1001", "OK"),
            // Its deletion was kept, so a clock that goes back does not undo it.
            ("death -60000", "OK"),
            ("EXISTS k l", "0"),
        ],
    );
}

#[test]
fn what_scripts_did_is_kept_and_scripts_are_not() {
    told(
        Keeps::Everything,
        &[
            (LOAD_COUNT, COUNT_DIGEST),
            (COUNT, "1"),
            (COUNT, "2"),
            ("death +0", "OK"),
            ("GET l", "2"),
            ("SCRIPT EXISTS 2bab3b661081db58bd2341920e0ba7cf5dc77b25", "0"),
            (COUNT, "NOSCRIPT"),
            (LOAD_COUNT, COUNT_DIGEST),
            (COUNT, "3"),
        ],
    );
}

#[test]
fn a_script_that_was_refused_after_one_restart_is_not_carried_out_by_the_next() {
    told(
        Keeps::Everything,
        &[
            (LOAD_COUNT, COUNT_DIGEST),
            ("death +0", "OK"),
            (COUNT, "NOSCRIPT"),
            ("death +0", "OK"),
            ("EXISTS l", "0"),
        ],
    );
}

#[test]
fn a_transaction_is_kept_whole_or_not_at_all() {
    told(
        Keeps::Everything,
        &[
            ("MULTI", "OK"),
            ("SET k mine", "QUEUED"),
            ("INCR l", "QUEUED"),
            ("EXEC", "OK 1"),
            ("MULTI", "OK"),
            ("SET k other", "QUEUED"),
            ("death +0", "OK"),
            ("EXEC", "ERR"),
            ("GET k", "mine"),
            ("GET l", "1"),
        ],
    );
}

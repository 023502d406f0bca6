//! Values that are strings: SET has a file of its own.

use bytes::Bytes;

use super::string_set::set;
use super::{Call, Command, Flags, KeyPositions};
use crate::keyspace::{Entry, Value};
use crate::number::{decimal, integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("set", -3, Flags::WRITE, KeyPositions::FIRST, set),
    Command::new("get", 2, Flags::READONLY_FAST, KeyPositions::FIRST, get),
    Command::new("incr", 2, Flags::WRITE_FAST, KeyPositions::FIRST, incr),
    Command::new("decr", 2, Flags::WRITE_FAST, KeyPositions::FIRST, decr),
    Command::new("incrby", 3, Flags::WRITE_FAST, KeyPositions::FIRST, incrby),
    Command::new("decrby", 3, Flags::WRITE_FAST, KeyPositions::FIRST, decrby),
];

pub(super) fn get(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let now = call.now;
    match call.database().get(&words[1], now) {
        None => Ok(Reply::NullBulk),
        Some(entry) => Ok(Reply::Bulk(entry.value.as_string()?.clone())),
    }
}

fn incr(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    add(call, &words[1], 1)
}

fn decr(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    add(call, &words[1], -1)
}

fn incrby(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let by = integer(&words[2])?;
    add(call, &words[1], by)
}

fn decrby(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let by = integer(&words[2])?;
    let by = by.checked_neg().ok_or(Refusal::fixed("ERR decrement would overflow"))?;
    add(call, &words[1], by)
}

/// Adds to a counter; a missing one begins at 0, an expiry stays.
fn add(call: &mut Call<'_>, key: &Bytes, by: i64) -> Outcome {
    const OVERFLOW: Refusal = Refusal::fixed("ERR increment or decrement would overflow");
    let now = call.now;
    let database = call.database();
    let Some(entry) = database.get_mut(key, now) else {
        let value = Value::String(decimal(by));
        database.insert(key, Entry { value, expires_at_ms: None }, now);
        return Ok(Reply::Integer(by));
    };
    let before = parse_integer(entry.value.as_string()?).ok_or(Refusal::NOT_AN_INTEGER)?;
    let after = before.checked_add(by).ok_or(OVERFLOW)?;
    entry.value = Value::String(decimal(after));
    Ok(Reply::Integer(after))
}

//! Values that are strings: SET and what concerns expiry have files of their own.

use bytes::{Bytes, BytesMut};

use super::string_set::set;
use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::{decimal, integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::resp::BULK_BYTES_MAX;
use crate::value::Value;

const FIRST: KeyPositions = KeyPositions::FIRST;
const WRITE: Flags = Flags::WRITE_FAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("set", -3, Flags::WRITE, FIRST, set),
    Command::new("get", 2, Flags::READONLY_FAST, FIRST, get),
    Command::new("setnx", 3, WRITE, FIRST, setnx),
    Command::new("getset", 3, WRITE, FIRST, getset),
    Command::new("getdel", 2, WRITE, FIRST, getdel),
    Command::new("append", 3, WRITE, FIRST, append),
    Command::new("strlen", 2, Flags::READONLY_FAST, FIRST, strlen),
    Command::new("mget", -2, Flags::READONLY_FAST, KeyPositions::ALL, mget),
    Command::new("mset", -3, Flags::WRITE, KeyPositions::PAIRS, mset),
    Command::new("msetnx", -3, Flags::WRITE, KeyPositions::PAIRS, msetnx),
    Command::new("incr", 2, WRITE, FIRST, |call, words| add(call, &words[1], 1)),
    Command::new("decr", 2, WRITE, FIRST, |call, words| add(call, &words[1], -1)),
    Command::new("incrby", 3, WRITE, FIRST, incrby),
    Command::new("decrby", 3, WRITE, FIRST, decrby),
];

const SET: Event = Event::string("set");

pub(super) fn get(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(call.read::<Bytes>(&words[1])?.map_or(Reply::NullBulk, |text| Reply::Bulk(text.clone())))
}

/// What a plain SET does.
fn put(call: &mut Call<'_>, key: &Bytes, value: &Bytes) {
    call.store(key, Value::String(value.clone()), None);
    call.changed(key, SET);
}

fn setnx(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let missing = call.entry(&words[1]).is_none();
    if missing {
        put(call, &words[1], &words[2]);
    }
    Ok(Reply::Integer(i64::from(missing)))
}

fn getset(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let before = get(call, words)?;
    put(call, &words[1], &words[2]);
    Ok(before)
}

fn getdel(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let before = get(call, words)?;
    call.delete(&words[1]);
    Ok(before)
}

/// The expiry stays.
fn append(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (key, tail) = (&words[1], &words[2]);
    let before = call.read::<Bytes>(key)?.map_or(0, Bytes::len);
    if before + tail.len() > BULK_BYTES_MAX {
        return Err(Refusal::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    let text = call.write::<Bytes>(key)?;
    // The bytes are the value's own as a rule, so that a log grows in place.
    let mut longer = BytesMut::from(std::mem::take(text));
    longer.extend_from_slice(tail);
    *text = longer.freeze();
    call.changed(key, Event::string("append"));
    Ok(Reply::count(before + tail.len()))
}

fn strlen(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.read::<Bytes>(&words[1])?.map_or(0, Bytes::len)))
}

/// What is no string counts as missing.
fn mget(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let value = |key| match call.read::<Bytes>(key) {
        Ok(Some(text)) => Reply::Bulk(text.clone()),
        Ok(None) | Err(_) => Reply::NullBulk,
    };
    Ok(Reply::Array(words[1..].iter().map(value).collect()))
}

fn mset(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    for (key, value) in pairs(call, words)? {
        put(call, key, value);
    }
    Ok(Reply::OK)
}

fn msetnx(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let pairs = pairs(call, words)?;
    if pairs.iter().any(|(key, _)| call.entry(key).is_some()) {
        return Ok(Reply::Integer(0));
    }
    for (key, value) in pairs {
        put(call, key, value);
    }
    Ok(Reply::Integer(1))
}

fn pairs<'a>(call: &Call<'_>, words: &'a [Bytes]) -> Result<Vec<(&'a Bytes, &'a Bytes)>, Refusal> {
    let pair = |pair: &'a [Bytes]| match pair {
        [key, value] => Ok((key, value)),
        _ => Err(call.command.wrong_arity()),
    };
    words[1..].chunks(2).map(pair).collect()
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
    let after = match call.edit::<Bytes>(key)? {
        Some(text) => {
            let before = parse_integer(text).ok_or(Refusal::NOT_AN_INTEGER)?;
            let after = before.checked_add(by).ok_or(OVERFLOW)?;
            *text = decimal(after);
            after
        }
        None => {
            call.store(key, Value::String(decimal(by)), None);
            by
        }
    };
    call.changed(key, Event::string("incrby"));
    Ok(Reply::Integer(after))
}

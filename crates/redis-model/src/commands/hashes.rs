//! Values that are hashes.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::{decimal, integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::value::Hash;

const FIRST: KeyPositions = KeyPositions::FIRST;
const WRITE: Flags = Flags::WRITE_FAST;
const READ: Flags = Flags::READONLY_FAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("hset", -4, WRITE, FIRST, hset),
    Command::new("hmset", -4, WRITE, FIRST, |call, words| hset(call, words).map(|_| Reply::OK)),
    Command::new("hsetnx", 4, WRITE, FIRST, hsetnx),
    Command::new("hget", 3, READ, FIRST, hget),
    Command::new("hmget", -3, READ, FIRST, hmget),
    Command::new("hdel", -3, WRITE, FIRST, hdel),
    Command::new("hgetall", 2, Flags::READONLY, FIRST, hgetall),
    Command::new("hincrby", 4, WRITE, FIRST, hincrby),
    Command::new("hexists", 3, READ, FIRST, hexists),
    Command::new("hlen", 2, READ, FIRST, hlen),
    Command::new("hkeys", 2, Flags::READONLY, FIRST, hkeys),
    Command::new("hvals", 2, Flags::READONLY, FIRST, hvals),
];

/// `HSET key field value…`: how many fields are new.
fn hset(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (key, pairs) = (&words[1], &words[2..]);
    if pairs.len() % 2 == 1 {
        return Err(call.command.wrong_arity());
    }
    let hash = call.write::<Hash>(key)?;
    let before = hash.len();
    for pair in pairs.chunks_exact(2) {
        hash.insert(pair[0].clone(), pair[1].clone());
    }
    let added = hash.len() - before;
    call.changed(key, Event::hash("hset"));
    Ok(Reply::count(added))
}

fn hsetnx(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let hash = call.write::<Hash>(&words[1])?;
    if hash.contains_key(&words[2]) {
        return Ok(Reply::Integer(0));
    }
    hash.insert(words[2].clone(), words[3].clone());
    call.changed(&words[1], Event::hash("hset"));
    Ok(Reply::Integer(1))
}

fn hget(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(field(call.read(&words[1])?, &words[2]))
}

fn hmget(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let hash = call.read(&words[1])?;
    Ok(Reply::Array(words[2..].iter().map(|name| field(hash, name)).collect()))
}

fn field(hash: Option<&Hash>, name: &Bytes) -> Reply {
    let value = hash.and_then(|hash| hash.get(name));
    value.map_or(Reply::NullBulk, |value| Reply::Bulk(value.clone()))
}

fn hdel(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let Some(hash) = call.edit::<Hash>(&words[1])? else { return Ok(Reply::Integer(0)) };
    let removed = words[2..].iter().filter(|name| hash.remove(*name).is_some()).count();
    if removed > 0 {
        call.shrunk(&words[1], Event::hash("hdel"));
    }
    Ok(Reply::count(removed))
}

fn hgetall(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let pairs = call.read::<Hash>(&words[1])?.into_iter().flatten();
    let pairs = pairs.map(|(name, value)| (Reply::Bulk(name.clone()), Reply::Bulk(value.clone())));
    Ok(Reply::Map(pairs.collect()))
}

fn hincrby(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let by = integer(&words[3])?;
    let before = match call.read::<Hash>(&words[1])?.and_then(|hash| hash.get(&words[2])) {
        Some(text) => {
            parse_integer(text).ok_or(Refusal::fixed("ERR hash value is not an integer"))?
        }
        None => 0,
    };
    let after = before
        .checked_add(by)
        .ok_or(Refusal::fixed("ERR increment or decrement would overflow"))?;
    call.write::<Hash>(&words[1])?.insert(words[2].clone(), decimal(after));
    call.changed(&words[1], Event::hash("hincrby"));
    Ok(Reply::Integer(after))
}

fn hexists(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let hash = call.read::<Hash>(&words[1])?;
    Ok(Reply::Integer(hash.is_some_and(|hash| hash.contains_key(&words[2])).into()))
}

fn hlen(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.read::<Hash>(&words[1])?.map_or(0, Hash::len)))
}

fn hkeys(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::bulks(call.read::<Hash>(&words[1])?.into_iter().flat_map(Hash::keys)))
}

fn hvals(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::bulks(call.read::<Hash>(&words[1])?.into_iter().flat_map(Hash::values)))
}

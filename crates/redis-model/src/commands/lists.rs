//! Values that are lists: what blocks has a file of its own.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::{integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::value::List;
use crate::waiters::Side;

const FIRST: KeyPositions = KeyPositions::FIRST;
const WRITE: Flags = Flags::WRITE_FAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("lpush", -3, WRITE, FIRST, |call, words| push(call, words, Side::Left)),
    Command::new("rpush", -3, WRITE, FIRST, |call, words| push(call, words, Side::Right)),
    Command::new("lpop", -2, WRITE, FIRST, |call, words| pop(call, words, Side::Left)),
    Command::new("rpop", -2, WRITE, FIRST, |call, words| pop(call, words, Side::Right)),
    Command::new("lrange", 4, Flags::READONLY, FIRST, lrange),
    Command::new("llen", 2, Flags::READONLY_FAST, FIRST, llen),
    Command::new("lrem", 4, Flags::WRITE, FIRST, lrem),
    Command::new("lindex", 3, Flags::READONLY, FIRST, lindex),
];

fn push(call: &mut Call<'_>, words: &[Bytes], side: Side) -> Outcome {
    let list = call.write::<List>(&words[1])?;
    for element in &words[2..] {
        match side {
            Side::Left => list.push_front(element.clone()),
            Side::Right => list.push_back(element.clone()),
        }
    }
    let len = list.len();
    call.core.waiters.signal(call.session.database, &words[1]);
    call.changed(&words[1], Event::list(if side == Side::Left { "lpush" } else { "rpush" }));
    Ok(Reply::count(len))
}

/// `LPOP key [count]`
fn pop(call: &mut Call<'_>, words: &[Bytes], side: Side) -> Outcome {
    const NOT_POSITIVE: Refusal = Refusal::fixed("ERR value is out of range, must be positive");
    let database = call.session.database;
    let count = match words {
        [_, key] => {
            let element = call.core.pop(database, key, side)?;
            return Ok(element.map_or(Reply::NullBulk, Reply::Bulk));
        }
        [_, _, count] => parse_integer(count).and_then(|count| usize::try_from(count).ok()),
        _ => return Err(call.command.wrong_arity()),
    };
    let count = count.ok_or(NOT_POSITIVE)?;
    let Some(list) = call.edit::<List>(&words[1])? else { return Ok(Reply::NullArray) };
    let taken: Vec<Bytes> = match side {
        Side::Left => list.drain(..count.min(list.len())).collect(),
        Side::Right => list.drain(list.len().saturating_sub(count)..).rev().collect(),
    };
    if count > 0 {
        call.shrunk(&words[1], Event::list(if side == Side::Left { "lpop" } else { "rpop" }));
    }
    Ok(Reply::bulks(&taken))
}

fn lrange(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (start, stop) = (integer(&words[2])?, integer(&words[3])?);
    let Some(list) = call.read::<List>(&words[1])? else { return Ok(Reply::Array(Vec::new())) };
    Ok(Reply::bulks(list.range(index_range(start, stop, list.len()))))
}

/// The places from `start` to `stop`, both included; negative ones count from the end.
pub(super) fn index_range(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let start = from_end(start).clamp(0, len);
    let end = from_end(stop).saturating_add(1).clamp(start, len);
    let place = |index: i64| usize::try_from(index).unwrap_or(0);
    place(start)..place(end)
}

fn llen(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.read::<List>(&words[1])?.map_or(0, List::len)))
}

/// `LREM key count element`: from the left, from the right when negative, all when 0.
fn lrem(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let wanted = integer(&words[2])?;
    let Some(list) = call.edit::<List>(&words[1])? else { return Ok(Reply::Integer(0)) };
    let most = if wanted == 0 { u64::MAX } else { wanted.unsigned_abs() };
    let mut removed = 0;
    let mut keep = |element: &Bytes| {
        let goes = *element == words[3] && removed < most;
        removed += u64::from(goes);
        !goes
    };
    if wanted < 0 {
        let kept = std::mem::take(list).into_iter().rev().filter(&mut keep);
        *list = kept.collect::<Vec<_>>().into_iter().rev().collect();
    } else {
        list.retain(&mut keep);
    }
    if removed > 0 {
        call.shrunk(&words[1], Event::list("lrem"));
    }
    Ok(Reply::Integer(i64::try_from(removed).unwrap_or(i64::MAX)))
}

fn lindex(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let Some(list) = call.read::<List>(&words[1])? else { return Ok(Reply::NullBulk) };
    let index = integer(&words[2])?;
    let range = index_range(index, index, list.len());
    let is_inside = index >= -i64::try_from(list.len()).unwrap_or(i64::MAX);
    let element = list.get(range.start).filter(|_| is_inside && !range.is_empty());
    Ok(element.map_or(Reply::NullBulk, |element| Reply::Bulk(element.clone())))
}

//! Values that are sorted sets: ZADD and ZRANGE have files of their own.

use bytes::Bytes;

use super::lists::index_range;
use super::zrange::score_range;
use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::integer;
use crate::reply::{Outcome, Reply};
use crate::value::SortedSet;

const FIRST: KeyPositions = KeyPositions::FIRST;
const READ: Flags = Flags::READONLY_FAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("zrem", -3, Flags::WRITE_FAST, FIRST, zrem),
    Command::new("zscore", 3, READ, FIRST, zscore),
    Command::new("zcard", 2, READ, FIRST, zcard),
    Command::new("zcount", 4, READ, FIRST, zcount),
    Command::new("zrank", 3, READ, FIRST, zrank),
    Command::new("zrevrank", 3, READ, FIRST, zrevrank),
    Command::new("zremrangebyscore", 4, Flags::WRITE, FIRST, zremrangebyscore),
    Command::new("zremrangebyrank", 4, Flags::WRITE, FIRST, zremrangebyrank),
];

fn zrem(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    remove(call, &words[1], &words[2..], Event::sorted_set("zrem"))
}

/// Counts those members that were there.
fn remove(call: &mut Call<'_>, key: &Bytes, members: &[Bytes], event: Event) -> Outcome {
    let Some(set) = call.edit::<SortedSet>(key)? else { return Ok(Reply::Integer(0)) };
    let removed = members.iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        call.shrunk(key, event);
    }
    Ok(Reply::count(removed))
}

fn zscore(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let score = call.read::<SortedSet>(&words[1])?.and_then(|set| set.score(&words[2]));
    Ok(score.map_or(Reply::NullBulk, |score| Reply::Double(score.text())))
}

fn zcard(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.read::<SortedSet>(&words[1])?.map_or(0, SortedSet::len)))
}

fn zcount(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let range = score_range(&words[2], &words[3])?;
    let set = call.read::<SortedSet>(&words[1])?;
    Ok(Reply::count(set.map_or(0, |set| set.within(range).count())))
}

fn zrank(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let rank = call.read::<SortedSet>(&words[1])?.and_then(|set| set.rank(&words[2]));
    Ok(rank.map_or(Reply::NullBulk, Reply::count))
}

fn zrevrank(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let set = call.read::<SortedSet>(&words[1])?;
    let rank = set.and_then(|set| Some(set.len() - 1 - set.rank(&words[2])?));
    Ok(rank.map_or(Reply::NullBulk, Reply::count))
}

fn zremrangebyscore(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let range = score_range(&words[2], &words[3])?;
    let set = call.read::<SortedSet>(&words[1])?;
    let members: Vec<Bytes> = set
        .into_iter()
        .flat_map(|set| set.within(range).map(|(_, member)| member.clone()))
        .collect();
    remove(call, &words[1], &members, Event::sorted_set("zremrangebyscore"))
}

fn zremrangebyrank(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (start, stop) = (integer(&words[2])?, integer(&words[3])?);
    let set = call.read::<SortedSet>(&words[1])?;
    let members: Vec<Bytes> = set
        .into_iter()
        .flat_map(|set| {
            let range = index_range(start, stop, set.len());
            set.iter().skip(range.start).take(range.len()).map(|(_, member)| member.clone())
        })
        .collect();
    remove(call, &words[1], &members, Event::sorted_set("zremrangebyrank"))
}

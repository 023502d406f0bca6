//! Values that are sets.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::reply::{Outcome, Reply};
use crate::value::Set;

const FIRST: KeyPositions = KeyPositions::FIRST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("sadd", -3, Flags::WRITE_FAST, FIRST, sadd),
    Command::new("srem", -3, Flags::WRITE_FAST, FIRST, srem),
    Command::new("smembers", 2, Flags::READONLY, FIRST, smembers),
    Command::new("sismember", 3, Flags::READONLY_FAST, FIRST, sismember),
    Command::new("scard", 2, Flags::READONLY_FAST, FIRST, scard),
];

fn sadd(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let set = call.write::<Set>(&words[1])?;
    let before = set.len();
    set.extend(words[2..].iter().cloned());
    let added = set.len() - before;
    if added > 0 {
        call.changed(&words[1], Event::set("sadd"));
    }
    Ok(Reply::count(added))
}

fn srem(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let Some(set) = call.edit::<Set>(&words[1])? else { return Ok(Reply::Integer(0)) };
    let removed = words[2..].iter().filter(|member| set.remove(*member)).count();
    if removed > 0 {
        call.shrunk(&words[1], Event::set("srem"));
    }
    Ok(Reply::count(removed))
}

fn smembers(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let members = call.read::<Set>(&words[1])?.into_iter().flatten();
    Ok(Reply::Set(members.cloned().map(Reply::Bulk).collect()))
}

fn sismember(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let set = call.read::<Set>(&words[1])?;
    Ok(Reply::Integer(set.is_some_and(|set| set.contains(&words[2])).into()))
}

fn scard(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.read::<Set>(&words[1])?.map_or(0, Set::len)))
}

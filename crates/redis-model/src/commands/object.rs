//! What a key is made of.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::reply::{Outcome, Reply};

const KEY: KeyPositions = KeyPositions { first: 2, last: 2, step: 1 };

pub(super) const COMMANDS: &[Command] = &[Command::family("object", OBJECT)];

const OBJECT: &[Command] = &[
    Command::new("object|encoding", 3, Flags::READONLY, KEY, encoding),
    Command::new("object|refcount", 3, Flags::READONLY, KEY, refcount),
];

fn encoding(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let entry = call.entry(&words[2]);
    Ok(entry.map_or(Reply::NullBulk, |entry| Reply::bulk(entry.value.encoding())))
}

/// Values are never shared.
fn refcount(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(call.entry(&words[2]).map_or(Reply::NullBulk, |_| Reply::Integer(1)))
}

//! Waiting for an element: BLPOP and BRPOP.

use std::time::Duration;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, Special};
use crate::number::parse_wide_double;
use crate::reply::{Outcome, Refusal, Reply};
use crate::session::{Blocked, BlockedOn};
use crate::value::List;
use crate::waiters::Side;

const FLAGS: Flags = Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING);
const KEYS: KeyPositions = KeyPositions::ALL_BUT_LAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("blpop", -3, FLAGS, KEYS, |call, words| pop(call, words, Side::Left)),
    Command::new("brpop", -3, FLAGS, KEYS, |call, words| pop(call, words, Side::Right)),
];

/// `BLPOP key… timeout`: the first list that has something, now or later.
fn pop(call: &mut Call<'_>, words: &[Bytes], side: Side) -> Outcome {
    let (timeout, keys) = words[1..].split_last().ok_or(Refusal::SYNTAX)?;
    let timeout = timeout_of(timeout)?;
    let database = call.session.database;
    for key in keys {
        call.read::<List>(key)?;
        if let Some(element) = call.core.pop(database, key, side)? {
            return Ok(Reply::Array(vec![Reply::Bulk(key.clone()), Reply::Bulk(element)]));
        }
    }
    if call.may_block {
        let until = timeout.map(|timeout| call.now.after(timeout));
        call.core.waiters.add(database, keys, side, &call.session.mailbox);
        call.session.blocked = Some(Blocked { on: BlockedOn::Element, until });
        call.special = Some(Special::Blocked);
    }
    Ok(Reply::NullArray)
}

/// Seconds with a fraction; none for 0, which waits for ever. Too many become negative, as in Redis.
fn timeout_of(text: &[u8]) -> Result<Option<Duration>, Refusal> {
    const NEGATIVE: Refusal = Refusal::fixed("ERR timeout is negative");
    const NOT_A_FLOAT: Refusal = Refusal::fixed("ERR timeout is not a float or out of range");
    const MILLIS_END: f64 = 9_223_372_036_854_775_808.0;
    let seconds = parse_wide_double(text).ok_or(NOT_A_FLOAT)?;
    let millis = (seconds * 1_000.0).ceil();
    if !(0.0..MILLIS_END).contains(&millis) {
        return Err(NEGATIVE);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let millis = millis as u64;
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}

//! When keys end: the EXPIRE and TTL families.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::integer;
use crate::reply::{Outcome, Refusal, Reply};

const WRITE: Flags = Flags::WRITE_FAST;
const READ: Flags = Flags::READONLY_FAST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("expire", -3, WRITE, KeyPositions::FIRST, |call, words| {
        expire(call, words, Unit::Seconds, Base::Now)
    }),
    Command::new("pexpire", -3, WRITE, KeyPositions::FIRST, |call, words| {
        expire(call, words, Unit::Milliseconds, Base::Now)
    }),
    Command::new("expireat", -3, WRITE, KeyPositions::FIRST, |call, words| {
        expire(call, words, Unit::Seconds, Base::Epoch)
    }),
    Command::new("pexpireat", -3, WRITE, KeyPositions::FIRST, |call, words| {
        expire(call, words, Unit::Milliseconds, Base::Epoch)
    }),
    Command::new("ttl", 2, READ, KeyPositions::FIRST, |call, words| {
        Ok(ttl(call, &words[1], Unit::Seconds, Base::Now))
    }),
    Command::new("pttl", 2, READ, KeyPositions::FIRST, |call, words| {
        Ok(ttl(call, &words[1], Unit::Milliseconds, Base::Now))
    }),
    Command::new("expiretime", 2, READ, KeyPositions::FIRST, |call, words| {
        Ok(ttl(call, &words[1], Unit::Seconds, Base::Epoch))
    }),
    Command::new("pexpiretime", 2, READ, KeyPositions::FIRST, |call, words| {
        Ok(ttl(call, &words[1], Unit::Milliseconds, Base::Epoch))
    }),
    Command::new("persist", 2, WRITE, KeyPositions::FIRST, persist),
];

/// What a number of a client's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// Where a client counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Now,
    Epoch,
}

/// The millisecond of the wall clock that `amount` means, unless it is beyond all clocks.
pub(super) fn deadline(
    call: &Call<'_>,
    amount: i64,
    unit: Unit,
    base: Base,
) -> Result<i64, Refusal> {
    let millis = match unit {
        Unit::Seconds => amount.checked_mul(1_000),
        Unit::Milliseconds => Some(amount),
    };
    let from = match base {
        Base::Now => call.now.unix_millis(),
        Base::Epoch => 0,
    };
    let deadline = millis.and_then(|millis| millis.checked_add(from));
    deadline.ok_or_else(|| invalid_expire_time(call))
}

pub(super) fn invalid_expire_time(call: &Call<'_>) -> Refusal {
    Refusal::new(format!("ERR invalid expire time in '{}' command", call.command.name))
}

/// `EXPIRE key amount [NX | XX | GT | LT]` and its kin. A deadline that has passed deletes the key.
fn expire(call: &mut Call<'_>, words: &[Bytes], unit: Unit, base: Base) -> Outcome {
    let condition = Condition::parse(&words[3..])?;
    let deadline = deadline(call, integer(&words[2])?, unit, base)?;
    let Some(entry) = call.entry(&words[1]) else { return Ok(Reply::Integer(0)) };
    if !condition.admits(entry.expires_at_ms(), deadline) {
        return Ok(Reply::Integer(0));
    }
    expire_at(call, &words[1], deadline);
    Ok(Reply::Integer(1))
}

/// Ends a key at `deadline`: at once, if that has come.
pub(super) fn expire_at(call: &mut Call<'_>, key: &Bytes, deadline: i64) {
    if deadline <= call.now.unix_millis() {
        call.delete(key);
    } else {
        call.core.keyspace.set_expiry(call.session.database, key, Some(deadline));
        call.changed(key, Event::EXPIRE);
    }
}

/// -2 for no key, -1 for a key without an end.
fn ttl(call: &mut Call<'_>, key: &Bytes, unit: Unit, base: Base) -> Reply {
    let now = call.now;
    let Some(entry) = call.entry(key) else { return Reply::Integer(-2) };
    let Some(at) = entry.expires_at_ms() else { return Reply::Integer(-1) };
    let millis = match base {
        Base::Now => at.saturating_sub(now.unix_millis()).max(0),
        Base::Epoch => at.max(0),
    };
    Reply::Integer(match unit {
        Unit::Milliseconds => millis,
        Unit::Seconds => millis.saturating_add(500) / 1_000,
    })
}

fn persist(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::Integer(i64::from(forget_expiry(call, &words[1]))))
}

/// Whether there was one.
pub(super) fn forget_expiry(call: &mut Call<'_>, key: &Bytes) -> bool {
    let had_one = call.entry(key).is_some_and(|entry| entry.expires_at_ms().is_some());
    if had_one {
        call.core.keyspace.set_expiry(call.session.database, key, None);
        call.changed(key, Event::PERSIST);
    }
    had_one
}

/// Which expiries EXPIRE may replace.
#[derive(Debug, Default)]
struct Condition {
    none_before: bool,
    some_before: bool,
    later: bool,
    earlier: bool,
}

impl Condition {
    fn parse(words: &[Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self::default();
        for word in words {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => parsed.none_before = true,
                b"XX" => parsed.some_before = true,
                b"GT" => parsed.later = true,
                b"LT" => parsed.earlier = true,
                _ => return Err(Refusal::new([b"ERR Unsupported option ", &word[..]].concat())),
            }
        }
        let narrowed = parsed.some_before || parsed.later || parsed.earlier;
        if parsed.none_before && narrowed {
            return Err(Refusal::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if parsed.later && parsed.earlier {
            return Err(Refusal::fixed(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(parsed)
    }

    /// A key without an end counts as one that ends after all others.
    fn admits(&self, current: Option<i64>, wanted: i64) -> bool {
        let existence = if current.is_some() { !self.none_before } else { !self.some_before };
        let later = !self.later || current.is_some_and(|current| wanted > current);
        let earlier = !self.earlier || current.is_none_or(|current| wanted < current);
        existence && later && earlier
    }
}

//! Strings with an end: SETEX, PSETEX, GETEX.

use bytes::Bytes;

use super::expiry::{Base, Unit, expire_at, forget_expiry};
use super::string_set::{clock_option, positive_deadline};
use super::strings::get;
use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::reply::{Outcome, Refusal, Reply};
use crate::value::Value;

const FIRST: KeyPositions = KeyPositions::FIRST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("setex", 4, Flags::WRITE, FIRST, |call, words| setex(call, words, Unit::Seconds)),
    Command::new("psetex", 4, Flags::WRITE, FIRST, |call, words| {
        setex(call, words, Unit::Milliseconds)
    }),
    Command::new("getex", -2, Flags::WRITE_FAST, FIRST, getex),
];

/// `SETEX key seconds value`
fn setex(call: &mut Call<'_>, words: &[Bytes], unit: Unit) -> Outcome {
    let deadline = positive_deadline(call, &words[2], unit, Base::Now)?;
    call.store(&words[1], Value::String(words[3].clone()), Some(deadline));
    call.changed(&words[1], Event::string("set"));
    call.notify(&words[1], Event::EXPIRE);
    Ok(Reply::OK)
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
fn getex(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let change = Change::parse(&words[2..])?;
    let key = &words[1];
    let value = get(call, words)?;
    if value == Reply::NullBulk {
        return Ok(value);
    }
    match change {
        Change::Nothing => {}
        Change::Persist => {
            forget_expiry(call, key);
        }
        Change::Expire(unit, base, amount) => {
            let deadline = positive_deadline(call, amount, unit, base)?;
            expire_at(call, key, deadline);
        }
    }
    Ok(value)
}

#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Nothing,
    Persist,
    Expire(Unit, Base, &'a Bytes),
}

impl<'a> Change<'a> {
    /// The same option twice is accepted and the last counts, as in Redis.
    fn parse(words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self::Nothing;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let next = if word.eq_ignore_ascii_case(b"PERSIST") {
                Self::Persist
            } else {
                let (unit, base) = clock_option(word).ok_or(Refusal::SYNTAX)?;
                Self::Expire(unit, base, rest.next().ok_or(Refusal::SYNTAX)?)
            };
            let agrees = match (parsed, next) {
                (Self::Nothing, _) | (Self::Persist, Self::Persist) => true,
                (Self::Expire(unit, base, _), Self::Expire(new_unit, new_base, _)) => {
                    (unit, base) == (new_unit, new_base)
                }
                _ => false,
            };
            if !agrees {
                return Err(Refusal::SYNTAX);
            }
            parsed = next;
        }
        Ok(parsed)
    }
}

//! SET and its options.

use bytes::Bytes;

use super::Call;
use super::expiry::{Base, Unit, deadline};
use super::strings::get;
use crate::core::Event;
use crate::keyspace::Entry;
use crate::number::integer;
use crate::reply::{Outcome, Refusal, Reply};
use crate::value::Value;

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(super) fn set(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let options = SetOptions::parse(&words[3..])?;
    let mut expires_at_ms = match options.expiry {
        Expiry::In(unit, base, amount) => Some(positive_deadline(call, amount, unit, base)?),
        Expiry::Never | Expiry::Keep => None,
    };
    let key = &words[1];
    let before = if options.returns_old { Some(get(call, words)?) } else { None };
    // Only a condition or KEEPTTL needs to know what is there.
    if options.condition.is_some() || options.expiry == Expiry::Keep {
        let current = call.entry(key);
        if options.condition.is_some_and(|wanted| wanted != Condition::of(current)) {
            return Ok(before.unwrap_or(Reply::NullBulk));
        }
        if options.expiry == Expiry::Keep {
            expires_at_ms = current.and_then(Entry::expires_at_ms);
        }
    }
    call.store(key, Value::String(words[2].clone()), expires_at_ms);
    call.changed(key, Event::string("set"));
    if let Expiry::In(..) = options.expiry {
        call.notify(key, Event::EXPIRE);
    }
    Ok(before.unwrap_or(Reply::OK))
}

/// SET refuses what EXPIRE accepts: a TTL of nothing or less.
pub(super) fn positive_deadline(
    call: &Call<'_>,
    text: &[u8],
    unit: Unit,
    base: Base,
) -> Result<i64, Refusal> {
    let amount = integer(text)?;
    if amount <= 0 {
        return Err(super::expiry::invalid_expire_time(call));
    }
    deadline(call, amount, unit, base)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Missing,
    Present,
}

impl Condition {
    const fn of(entry: Option<&Entry>) -> Self {
        if entry.is_some() { Self::Present } else { Self::Missing }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry<'a> {
    Never,
    Keep,
    In(Unit, Base, &'a [u8]),
}

#[derive(Debug)]
struct SetOptions<'a> {
    condition: Option<Condition>,
    returns_old: bool,
    expiry: Expiry<'a>,
}

impl<'a> SetOptions<'a> {
    fn parse(words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self { condition: None, returns_old: false, expiry: Expiry::Never };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            // Every lock that is taken passes here: compared as it comes, and not copied in capitals.
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if is(b"NX") {
                parsed.require(Condition::Missing)?;
            } else if is(b"XX") {
                parsed.require(Condition::Present)?;
            } else if is(b"GET") {
                parsed.returns_old = true;
            } else if is(b"KEEPTTL") {
                parsed.expire(Expiry::Keep)?;
            } else {
                let (unit, base) = clock_option(word).ok_or(Refusal::SYNTAX)?;
                let amount = rest.next().ok_or(Refusal::SYNTAX)?;
                parsed.expire(Expiry::In(unit, base, amount))?;
            }
        }
        Ok(parsed)
    }

    /// The same condition twice is accepted, as Redis does; two different ones contradict.
    fn require(&mut self, condition: Condition) -> Result<(), Refusal> {
        if self.condition.is_some_and(|earlier| earlier != condition) {
            return Err(Refusal::SYNTAX);
        }
        self.condition = Some(condition);
        Ok(())
    }

    /// Two ways to say when contradict; one way twice is accepted and the last counts, as in Redis.
    fn expire(&mut self, expiry: Expiry<'a>) -> Result<(), Refusal> {
        let agrees = match (self.expiry, expiry) {
            (Expiry::Never, _) | (Expiry::Keep, Expiry::Keep) => true,
            (Expiry::In(unit, base, _), Expiry::In(new_unit, new_base, _)) => {
                (unit, base) == (new_unit, new_base)
            }
            _ => false,
        };
        self.expiry = expiry;
        if agrees { Ok(()) } else { Err(Refusal::SYNTAX) }
    }
}

/// In any case.
pub(super) fn clock_option(word: &[u8]) -> Option<(Unit, Base)> {
    const OPTIONS: [(&[u8], Unit, Base); 4] = [
        (b"EX", Unit::Seconds, Base::Now),
        (b"PX", Unit::Milliseconds, Base::Now),
        (b"EXAT", Unit::Seconds, Base::Epoch),
        (b"PXAT", Unit::Milliseconds, Base::Epoch),
    ];
    let named = OPTIONS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(word));
    named.map(|&(_, unit, base)| (unit, base))
}

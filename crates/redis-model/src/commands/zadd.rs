//! ZADD and its options.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::number::parse_double;
use crate::reply::{Outcome, Refusal, Reply};
use crate::value::{Score, SortedSet};

const FIRST: KeyPositions = KeyPositions::FIRST;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("zadd", -4, Flags::WRITE_FAST, FIRST, |call, words| {
        zadd(call, words, ZaddOptions::default())
    }),
    Command::new("zincrby", 4, Flags::WRITE_FAST, FIRST, |call, words| {
        zadd(call, words, ZaddOptions { increments: true, ..ZaddOptions::default() })
    }),
];

#[derive(Debug, Clone, Copy, Default)]
struct ZaddOptions {
    only_new: bool,
    only_present: bool,
    only_greater: bool,
    only_less: bool,
    counts_changed: bool,
    increments: bool,
}

/// What came of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Refused,
    Same(Score),
    Added(Score),
    Moved(Score),
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member…`
fn zadd(call: &mut Call<'_>, words: &[Bytes], options: ZaddOptions) -> Outcome {
    let (options, pairs) = options.parse(&words[2..])?;
    let scored = pairs.chunks_exact(2).map(|pair| Ok((score(&pair[0])?, &pair[1])));
    let scored = scored.collect::<Result<Vec<_>, Refusal>>()?;
    let key = &words[1];
    if options.only_present && call.read::<SortedSet>(key)?.is_none() {
        return Ok(if options.increments { Reply::NullBulk } else { Reply::Integer(0) });
    }
    let set = call.write::<SortedSet>(key)?;
    let mut changes = Vec::with_capacity(scored.len());
    for (score, member) in scored {
        changes.push(options.apply(set, score, member)?);
    }
    let added = changes.iter().filter(|change| matches!(change, Change::Added(_))).count();
    let moved = changes.iter().filter(|change| matches!(change, Change::Moved(_))).count();
    if added + moved > 0 {
        let event = if options.increments { "zincr" } else { "zadd" };
        call.changed(key, Event::sorted_set(event));
    }
    Ok(match changes[..] {
        [Change::Refused] if options.increments => Reply::NullBulk,
        [Change::Same(score) | Change::Added(score) | Change::Moved(score)]
            if options.increments =>
        {
            Reply::Double(score.text())
        }
        _ if options.counts_changed => Reply::count(added + moved),
        _ => Reply::count(added),
    })
}

fn score(text: &[u8]) -> Result<Score, Refusal> {
    let number = parse_double(text).and_then(Score::new);
    number.ok_or(Refusal::fixed("ERR value is not a valid float"))
}

impl ZaddOptions {
    fn parse(mut self, words: &[Bytes]) -> Result<(Self, &[Bytes]), Refusal> {
        let is_increment_only = self.increments;
        let mut rest = words;
        while let [word, after @ ..] = rest {
            if is_increment_only {
                break;
            }
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => self.only_new = true,
                b"XX" => self.only_present = true,
                b"GT" => self.only_greater = true,
                b"LT" => self.only_less = true,
                b"CH" => self.counts_changed = true,
                b"INCR" => self.increments = true,
                _ => break,
            }
            rest = after;
        }
        self.check(rest.len())?;
        Ok((self, rest))
    }

    const fn check(self, words: usize) -> Result<(), Refusal> {
        if words == 0 || words % 2 == 1 {
            return Err(Refusal::SYNTAX);
        }
        if self.only_new && self.only_present {
            return Err(Refusal::fixed(
                "ERR XX and NX options at the same time are not compatible",
            ));
        }
        let directed = self.only_greater || self.only_less;
        if self.only_greater && self.only_less || self.only_new && directed {
            return Err(Refusal::fixed(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        if self.increments && words > 2 {
            return Err(Refusal::fixed("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    fn apply(self, set: &mut SortedSet, given: Score, member: &Bytes) -> Result<Change, Refusal> {
        const NOT_A_NUMBER: Refusal = Refusal::fixed("ERR resulting score is not a number (NaN)");
        let Some(before) = set.score(member) else {
            if self.only_present {
                return Ok(Change::Refused);
            }
            set.insert(member.clone(), given);
            return Ok(Change::Added(given));
        };
        if self.only_new {
            return Ok(Change::Refused);
        }
        let after = if self.increments { before.plus(given).ok_or(NOT_A_NUMBER)? } else { given };
        if self.only_greater && after <= before || self.only_less && after >= before {
            return Ok(Change::Refused);
        }
        if after == before {
            return Ok(Change::Same(after));
        }
        set.insert(member.clone(), after);
        Ok(Change::Moved(after))
    }
}

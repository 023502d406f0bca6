//! ZRANGE in all its forms.

use bytes::Bytes;

use super::lists::index_range;
use super::{Call, Command, Flags, KeyPositions};
use crate::number::{integer, parse_double};
use crate::reply::{Outcome, Protocol, Refusal, Reply};
use crate::value::{Edge, Score, ScoreRange, SortedSet};

const FIRST: KeyPositions = KeyPositions::FIRST;
const READ: Flags = Flags::READONLY;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("zrange", -4, READ, FIRST, |call, words| zrange(call, words, Form::ANY)),
    Command::new("zrevrange", -4, READ, FIRST, |call, words| {
        zrange(call, words, Form { reversed: Some(true), by_score: Some(false) })
    }),
    Command::new("zrangebyscore", -4, READ, FIRST, |call, words| {
        zrange(call, words, Form { reversed: Some(false), by_score: Some(true) })
    }),
    Command::new("zrevrangebyscore", -4, READ, FIRST, |call, words| {
        zrange(call, words, Form { reversed: Some(true), by_score: Some(true) })
    }),
];

/// What the command's name decides; the rest is left to options.
#[derive(Debug, Clone, Copy)]
struct Form {
    reversed: Option<bool>,
    by_score: Option<bool>,
}

impl Form {
    const ANY: Self = Self { reversed: None, by_score: None };
}

/// `ZRANGE key from to [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]`
fn zrange(call: &mut Call<'_>, words: &[Bytes], form: Form) -> Outcome {
    let options = ZrangeOptions::parse(&words[4..], form)?;
    let range = if options.by_score {
        // Reversed, the higher end comes first.
        let (min, max) = if options.reversed { (3, 2) } else { (2, 3) };
        Range::Score(score_range(&words[min], &words[max])?)
    } else {
        Range::Index(integer(&words[2])?, integer(&words[3])?)
    };
    let Some(set) = call.read::<SortedSet>(&words[1])? else { return Ok(Reply::Array(Vec::new())) };
    let found: Vec<(Score, &Bytes)> = match range {
        Range::Index(start, stop) => {
            let range = index_range(start, stop, set.len());
            options.pick(set.iter(), range.start, range.len())
        }
        Range::Score(range) => options.pick(set.within(range), options.offset, options.limit),
    };
    Ok(shown(&found, options.with_scores, call.session.protocol))
}

enum Range {
    Index(i64, i64),
    Score(ScoreRange),
}

/// With RESP3 a member and its score are a pair; with RESP2 they follow each other.
fn shown(found: &[(Score, &Bytes)], with_scores: bool, protocol: Protocol) -> Reply {
    let member = |member: &Bytes| Reply::Bulk(member.clone());
    let pair = |&(score, name): &(Score, &Bytes)| [member(name), Reply::Double(score.text())];
    Reply::Array(match (with_scores, protocol) {
        (false, _) => found.iter().map(|(_, name)| member(name)).collect(),
        (true, Protocol::Resp2) => found.iter().flat_map(pair).collect(),
        (true, Protocol::Resp3) => {
            found.iter().map(|found| Reply::Array(pair(found).into())).collect()
        }
    })
}

/// Two ends of scores: `5`, `(5`, `-inf`.
pub(super) fn score_range(min: &[u8], max: &[u8]) -> Result<ScoreRange, Refusal> {
    let edge = |text: &[u8]| {
        let number = text.strip_prefix(b"(");
        let score = match number.unwrap_or(text) {
            // C reads nothing as 0.
            b"" => Some(0.0),
            text => parse_double(text.trim_ascii_start()),
        };
        Some(Edge { score: Score::new(score?)?, excluded: number.is_some() })
    };
    match (edge(min), edge(max)) {
        (Some(min), Some(max)) => Ok(ScoreRange { min, max }),
        _ => Err(Refusal::fixed("ERR min or max is not a float")),
    }
}

#[derive(Debug)]
struct ZrangeOptions {
    by_score: bool,
    reversed: bool,
    with_scores: bool,
    offset: usize,
    limit: usize,
}

impl ZrangeOptions {
    fn parse(words: &[Bytes], form: Form) -> Result<Self, Refusal> {
        let (mut by_score, mut reversed) = (form.by_score, form.reversed);
        let (mut with_scores, mut limits) = (false, None);
        let mut rest = words;
        while let [word, after @ ..] = rest {
            rest = after;
            match (word.to_ascii_uppercase().as_slice(), after) {
                (b"WITHSCORES", _) => with_scores = true,
                (b"LIMIT", [offset, limit, after @ ..]) => {
                    limits = Some((integer(offset)?, integer(limit)?));
                    rest = after;
                }
                (b"REV", _) if reversed.is_none() => reversed = Some(true),
                (b"BYSCORE", _) if by_score.is_none() => by_score = Some(true),
                (b"BYLEX", _) if by_score.is_none() => {
                    return Err(Refusal::fixed("ERR ZRANGE BYLEX is not modelled"));
                }
                _ => return Err(Refusal::SYNTAX),
            }
        }
        let (by_score, reversed) = (by_score.unwrap_or(false), reversed.unwrap_or(false));
        // No limit at all may also be written as `LIMIT 0 -1`.
        if !by_score && limits.is_some_and(|(_, limit)| limit != -1) {
            return Err(Refusal::fixed(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        // A negative offset skips all, a negative limit limits nothing.
        let place = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let (offset, limit) =
            limits.map_or((0, usize::MAX), |(offset, limit)| (place(offset), place(limit)));
        Ok(Self { by_score, reversed, with_scores, offset, limit })
    }

    fn pick<'a>(
        &self,
        members: impl DoubleEndedIterator<Item = (Score, &'a Bytes)>,
        skipped: usize,
        taken: usize,
    ) -> Vec<(Score, &'a Bytes)> {
        if self.reversed {
            members.rev().skip(skipped).take(taken).collect()
        } else {
            members.skip(skipped).take(taken).collect()
        }
    }
}

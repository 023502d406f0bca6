//! Carrying a plain script out.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Block, Call, Plain, Statement, Value};
use crate::clock::WallClock;
use crate::core::Core;
use crate::reply::Reply;
use crate::scripts::convert::{self, truncated};
use crate::scripts::{Access, running};
use crate::session::Session;

/// What a script may touch.
#[derive(Debug)]
pub(in crate::scripts) struct Door<'a> {
    pub(in crate::scripts) core: &'a mut Core,
    pub(in crate::scripts) session: &'a mut Session,
    pub(in crate::scripts) now: WallClock,
    pub(in crate::scripts) access: Access,
}

/// A command was refused, which ends a script that does not ask.
#[derive(Debug)]
pub(in crate::scripts) struct Failed {
    pub(in crate::scripts) text: Bytes,
    pub(in crate::scripts) line: u32,
}

/// A value of Lua, as far as plain scripts meet one.
#[derive(Debug, Clone)]
enum Datum<'a> {
    Nil,
    Truth(bool),
    Number(f64),
    Text(Cow<'a, Bytes>),
    /// A status, which Lua has as a table: equal to itself alone.
    Status(Bytes, u32),
}

impl Datum<'_> {
    const fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Truth(false))
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Truth(one), Self::Truth(other)) => one == other,
            #[expect(clippy::float_cmp, reason = "as Lua compares")]
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Status(_, one), Self::Status(_, other)) => one == other,
            _ => false,
        }
    }

    fn into_reply(self) -> Reply {
        match self {
            Self::Nil | Self::Truth(false) => Reply::NullBulk,
            Self::Truth(true) => Reply::Integer(1),
            Self::Number(number) => Reply::Integer(truncated(number)),
            Self::Text(text) => Reply::Bulk(text.into_owned()),
            Self::Status(text, _) => Reply::status(text),
        }
    }

    /// As a word of a command; what is neither a text nor a number is none.
    fn to_word(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(text.as_ref().clone()),
            Self::Number(number) => Some(convert::number_word(*number)),
            Self::Nil | Self::Truth(_) | Self::Status(..) => None,
        }
    }
}

pub(super) fn run(
    script: &Plain,
    keys: &[Bytes],
    arguments: &[Bytes],
    door: &mut Door<'_>,
) -> Result<Reply, Failed> {
    let locals = vec![Datum::Nil; script.locals];
    let mut run = RunUnderWay { keys, arguments, door, locals, statuses: 0 };
    Ok(run.block(&script.block)?.unwrap_or(Datum::Nil).into_reply())
}

struct RunUnderWay<'a, 'd> {
    keys: &'a [Bytes],
    arguments: &'a [Bytes],
    door: &'a mut Door<'d>,
    locals: Vec<Datum<'a>>,
    statuses: u32,
}

impl<'a> RunUnderWay<'a, '_> {
    /// What it returns, where it does.
    fn block(&mut self, block: &'a Block) -> Result<Option<Datum<'a>>, Failed> {
        for statement in &block.0 {
            match statement {
                Statement::Set { local, value } => self.locals[*local] = self.value(value)?,
                Statement::Call(call) => {
                    self.call(call)?;
                }
                Statement::If { arms, otherwise } => {
                    let returned = self.condition(arms, otherwise)?;
                    if returned.is_some() {
                        return Ok(returned);
                    }
                }
                Statement::Return(value) => return self.value(value).map(Some),
            }
        }
        Ok(None)
    }

    fn condition(
        &mut self,
        arms: &'a [(Value, Block)],
        otherwise: &'a Block,
    ) -> Result<Option<Datum<'a>>, Failed> {
        for (value, block) in arms {
            if self.value(value)?.is_true() {
                return self.block(block);
            }
        }
        self.block(otherwise)
    }

    fn value(&mut self, value: &'a Value) -> Result<Datum<'a>, Failed> {
        let word = |words: &'a [Bytes], index: usize| {
            let word = index.checked_sub(1).and_then(|place| words.get(place));
            word.map_or(Datum::Nil, |word| Datum::Text(Cow::Borrowed(word)))
        };
        Ok(match value {
            Value::Nil => Datum::Nil,
            Value::Truth(truth) => Datum::Truth(*truth),
            Value::Number(number) => Datum::Number(*number),
            Value::Text(text) => Datum::Text(Cow::Borrowed(text)),
            Value::Key(index) => word(self.keys, *index),
            Value::Argument(index) => word(self.arguments, *index),
            Value::Local(local) => self.locals[*local].clone(),
            Value::Call(call) => self.call(call)?,
            Value::Not(value) => Datum::Truth(!self.value(value)?.is_true()),
            Value::Equal(one, other) => {
                let one = self.value(one)?;
                Datum::Truth(one.equals(&self.value(other)?))
            }
            Value::And(one, other) => match self.value(one)? {
                one if one.is_true() => self.value(other)?,
                one => one,
            },
            Value::Or(one, other) => match self.value(one)? {
                one if one.is_true() => one,
                _ => self.value(other)?,
            },
        })
    }

    fn call(&mut self, call: &'a Call) -> Result<Datum<'a>, Failed> {
        let mut words = Vec::with_capacity(call.words.len());
        let mut are_words = true;
        for word in &call.words {
            // Each is worked out, also behind one that is no word: it may be a call.
            match self.value(word)?.to_word() {
                Some(word) => words.push(word),
                None => are_words = false,
            }
        }
        let Door { core, session, now, access } = &mut *self.door;
        let outcome = if are_words {
            running::carry_out(core, session, *now, *access, (call.command, call.handler), &words)
        } else {
            Err(convert::NOT_WORDS)
        };
        Ok(match outcome.unwrap_or_else(Reply::from) {
            Reply::Error(text) => return Err(Failed { text, line: call.line }),
            Reply::Status(text) => {
                self.statuses += 1;
                Datum::Status(text, self.statuses)
            }
            Reply::Integer(number) => Datum::Number(convert::lua_number(number)),
            Reply::Bulk(text) => Datum::Text(Cow::Owned(text)),
            Reply::NullBulk | Reply::NullArray => Datum::Truth(false),
            other => unreachable!("no command of plain scripts answers so: {other:?}"),
        })
    }
}

//! Between Lua's values and Redis' replies, by Redis' rules.

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value};

use crate::number::{decimal, general_17};
use crate::reply::{Protocol, Refusal, Reply};

/// Deeper nesting is refused; it also ends a table that contains itself.
const DEPTH_MAX: usize = 128;
/// Replies of a script in all: a table may be met by many ways and grow without bound.
const REPLIES_MAX: usize = 1 << 20;

/// The words of a command that a script calls.
pub(super) fn to_words(arguments: &MultiValue) -> Result<Vec<Bytes>, Refusal> {
    if arguments.is_empty() {
        return Err(Refusal::fixed(
            "ERR Please specify at least one argument for this redis lib call",
        ));
    }
    arguments.iter().map(to_word).collect::<Option<_>>().ok_or(NOT_WORDS)
}

pub(super) const NOT_WORDS: Refusal =
    Refusal::fixed("ERR Lua redis lib command arguments must be strings or integers");

fn to_word(value: &Value) -> Option<Bytes> {
    match value {
        Value::String(text) => Some(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(number) => Some(integer_word(*number)),
        Value::Number(number) => Some(general_17(*number).into()),
        _ => None,
    }
}

/// Lua 5.1 has no integers: what looks like one is printed as the float that it is.
fn integer_word(number: i64) -> Bytes {
    const EXACT_MAX: u64 = 100_000_000_000_000_000;
    if number.unsigned_abs() < EXACT_MAX {
        decimal(number)
    } else {
        general_17(number as f64).into()
    }
}

/// A number as a word, as [`to_words`] has it.
pub(super) fn number_word(number: f64) -> Bytes {
    let whole = truncated(number);
    #[expect(clippy::float_cmp, reason = "whether it is a whole number, exactly")]
    if lua_number(whole) == number { integer_word(whole) } else { general_17(number).into() }
}

/// Lua 5.1 knows no other numbers.
pub(super) const fn lua_number(number: i64) -> f64 {
    number as f64
}

/// A command's reply, as the script sees it: what RESP2 does not know appears only after
/// `redis.setresp(3)`.
pub(super) fn to_lua(lua: &Lua, reply: Reply, protocol: Protocol) -> mlua::Result<Value> {
    let plain = protocol == Protocol::Resp2;
    Ok(match reply {
        Reply::Status(text) => Value::Table(labelled(lua, "ok", &text)?),
        Reply::Error(text) => Value::Table(labelled(lua, "err", &text)?),
        Reply::Integer(number) => Value::Number(lua_number(number)),
        Reply::NullBulk | Reply::NullArray if plain => Value::Boolean(false),
        Reply::NullBulk | Reply::NullArray => Value::Nil,
        Reply::Boolean(truth) if plain => Value::Number(if truth { 1.0 } else { 0.0 }),
        Reply::Boolean(truth) => Value::Boolean(truth),
        Reply::Double(text) if !plain => {
            let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            table_with(lua, "double", Value::Number(number.unwrap_or(f64::NAN)))?
        }
        Reply::BigNumber(text) if !plain => {
            table_with(lua, "big_number", Value::String(lua.create_string(text)?))?
        }
        Reply::Verbatim(format, text) if !plain => {
            let verbatim = lua.create_table()?;
            verbatim.raw_set("string", lua.create_string(text)?)?;
            verbatim.raw_set("format", lua.create_string(format)?)?;
            table_with(lua, "verbatim_string", Value::Table(verbatim))?
        }
        Reply::Bulk(text)
        | Reply::Double(text)
        | Reply::BigNumber(text)
        | Reply::Verbatim(_, text) => Value::String(lua.create_string(text)?),
        Reply::Map(pairs) if plain => {
            let flat = pairs.into_iter().flat_map(|(name, value)| [name, value]).collect();
            array(lua, flat, protocol)?
        }
        Reply::Map(pairs) => {
            let map = lua.create_table()?;
            for (name, value) in pairs {
                map.raw_set(to_lua(lua, name, protocol)?, to_lua(lua, value, protocol)?)?;
            }
            table_with(lua, "map", Value::Table(map))?
        }
        Reply::Set(members) if !plain => {
            let set = lua.create_table()?;
            for member in members {
                set.raw_set(to_lua(lua, member, protocol)?, true)?;
            }
            table_with(lua, "set", Value::Table(set))?
        }
        Reply::Array(replies) | Reply::Set(replies) | Reply::Push(replies) => {
            array(lua, replies, protocol)?
        }
    })
}

fn array(lua: &Lua, replies: Vec<Reply>, protocol: Protocol) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(replies.len(), 0)?;
    for (index, reply) in replies.into_iter().enumerate() {
        table.raw_set(index + 1, to_lua(lua, reply, protocol)?)?;
    }
    Ok(Value::Table(table))
}

fn table_with(lua: &Lua, name: &str, value: Value) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, value)?;
    Ok(Value::Table(table))
}

pub(super) fn labelled(lua: &Lua, label: &str, text: &[u8]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(label, lua.create_string(text)?)?;
    Ok(table)
}

/// What a script returns, as its client sees it.
pub(super) fn to_reply(value: &Value, protocol: Protocol) -> Reply {
    let mut replies = Replies { protocol, left: REPLIES_MAX };
    let reply = replies.reply(value, DEPTH_MAX);
    if replies.left == 0 { Reply::error("ERR script returned too many values") } else { reply }
}

/// The conversion under way.
struct Replies {
    /// What the script has chosen, not its client: it decides what a truth becomes.
    protocol: Protocol,
    left: usize,
}

impl Replies {
    fn reply(&mut self, value: &Value, depth: usize) -> Reply {
        self.left = self.left.saturating_sub(1);
        match value {
            Value::String(text) => Reply::bulk(text.as_bytes()),
            Value::Integer(number) => Reply::Integer(*number),
            Value::Number(number) => Reply::Integer(truncated(*number)),
            Value::Boolean(truth) if self.protocol == Protocol::Resp3 => Reply::Boolean(*truth),
            Value::Boolean(true) => Reply::Integer(1),
            Value::Table(table) if depth > 0 => self.table(table, depth),
            Value::Table(_) => Reply::error("ERR reached lua stack limit"),
            _ => Reply::NullBulk,
        }
    }

    /// A label says what the table is; without one it is an array, which ends at its first hole.
    fn table(&mut self, table: &Table, depth: usize) -> Reply {
        let label = |name: &str| table.raw_get::<Value>(name).unwrap_or(Value::Nil);
        if let Value::String(text) = label("err") {
            return Reply::error(text.as_bytes());
        }
        if let Value::String(text) = label("ok") {
            return Reply::status(text.as_bytes());
        }
        match label("double") {
            Value::Number(number) => return Reply::Double(general_17(number).into()),
            Value::Integer(number) => return Reply::Double(general_17(number as f64).into()),
            _ => {}
        }
        if let Value::Table(map) = label("map") {
            return Reply::Map(self.pairs(&map, depth));
        }
        if let Value::Table(set) = label("set") {
            return Reply::Set(self.pairs(&set, depth).into_iter().map(|(name, _)| name).collect());
        }
        if let Value::String(digits) = label("big_number") {
            return Reply::BigNumber(Reply::one_line(&digits.as_bytes()));
        }
        if let Value::Table(verbatim) = label("verbatim_string")
            && let Some(reply) = verbatim_reply(&verbatim)
        {
            return reply;
        }
        let mut replies = Vec::new();
        while self.left > 0 {
            match table.raw_get(replies.len() + 1) {
                Ok(Value::Nil) | Err(_) => break,
                Ok(value) => replies.push(self.reply(&value, depth - 1)),
            }
        }
        Reply::Array(replies)
    }

    fn pairs(&mut self, table: &Table, depth: usize) -> Vec<(Reply, Reply)> {
        let mut pairs = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let Ok((name, value)) = pair else { break };
            if self.left == 0 {
                break;
            }
            pairs.push((self.reply(&name, depth - 1), self.reply(&value, depth - 1)));
        }
        pairs
    }
}

fn verbatim_reply(table: &Table) -> Option<Reply> {
    let (Ok(Value::String(text)), Ok(Value::String(format))) =
        (table.raw_get("string"), table.raw_get("format"))
    else {
        return None;
    };
    let format = <[u8; 3]>::try_from(&format.as_bytes()[..]).ok()?;
    Some(Reply::Verbatim(format, Bytes::copy_from_slice(&text.as_bytes())))
}

/// As the processor does it, on which Redis relies: what does not fit becomes the smallest number.
pub(super) fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

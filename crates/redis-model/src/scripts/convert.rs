//! Between Lua's values and Redis' replies, by Redis' rules.

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value};

use crate::number::{decimal, general_17};
use crate::reply::{Refusal, Reply};

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
    arguments
        .iter()
        .map(to_word)
        .collect::<Option<_>>()
        .ok_or(Refusal::fixed("ERR Lua redis lib command arguments must be strings or integers"))
}

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

/// A command's reply, as the script sees it.
pub(super) fn to_lua(lua: &Lua, reply: Reply) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Status(text) => Value::Table(labelled(lua, "ok", &text)?),
        Reply::Error(text) => Value::Table(labelled(lua, "err", &text)?),
        Reply::Integer(number) => Value::Number(number as f64),
        Reply::Bulk(text) => Value::String(lua.create_string(text)?),
        Reply::NullBulk | Reply::NullArray => Value::Boolean(false),
        Reply::Array(replies) => {
            let table = lua.create_table_with_capacity(replies.len(), 0)?;
            for (index, reply) in replies.into_iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, reply)?)?;
            }
            Value::Table(table)
        }
    })
}

pub(super) fn labelled(lua: &Lua, label: &str, text: &[u8]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(label, lua.create_string(text)?)?;
    Ok(table)
}

/// What a script returns, as its client sees it.
pub(super) fn to_reply(value: &Value) -> Reply {
    let mut left = REPLIES_MAX;
    let reply = nested_reply(value, DEPTH_MAX, &mut left);
    if left == 0 { Reply::error("ERR script returned too many values") } else { reply }
}

fn nested_reply(value: &Value, depth: usize, left: &mut usize) -> Reply {
    *left = left.saturating_sub(1);
    match value {
        Value::String(text) => Reply::bulk(text.as_bytes()),
        Value::Integer(number) => Reply::Integer(*number),
        Value::Number(number) => Reply::Integer(truncated(*number)),
        Value::Boolean(true) => Reply::Integer(1),
        Value::Table(table) if depth > 0 => table_reply(table, depth, left),
        Value::Table(_) => Reply::error("ERR reached lua stack limit"),
        _ => Reply::NullBulk,
    }
}

/// An array ends at its first hole.
fn table_reply(table: &Table, depth: usize, left: &mut usize) -> Reply {
    if let Ok(Value::String(text)) = table.raw_get("err") {
        return Reply::error(text.as_bytes());
    }
    if let Ok(Value::String(text)) = table.raw_get("ok") {
        return Reply::status(text.as_bytes());
    }
    let mut replies = Vec::new();
    while *left > 0 {
        match table.raw_get(replies.len() + 1) {
            Ok(Value::Nil) | Err(_) => break,
            Ok(value) => replies.push(nested_reply(&value, depth - 1, left)),
        }
    }
    Reply::Array(replies)
}

/// As the processor does it, on which Redis relies: what does not fit becomes the smallest number.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

//! The `redis` table of scripts.

use mlua::{Lua, MultiValue, Table, Value};

use super::convert::{self, labelled};
use super::failure::Raised;
use super::running::Slot;
use super::sha::Sha;
use crate::reply::{Protocol, Reply};
use crate::server::REDIS_VERSION;

const REDIS_VERSION_NUM: u32 = 0x0007_000f;

/// Logs are checked and dropped: nobody reads the log of a model.
const LOG_LEVELS: [(&str, i64); 4] =
    [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)];

/// Replication is not modelled; the constants let scripts that steer it load.
const REPLICATION_MODES: [(&str, i64); 5] =
    [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];

pub(super) fn table(lua: &Lua, slot: &Slot) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    let run = slot.clone();
    let call = lua.create_function(move |lua, words: MultiValue| match run.dispatch(&words) {
        Reply::Error(text) => Err(Raised::error(text)),
        reply => convert::to_lua(lua, reply, run.protocol()),
    })?;
    redis.raw_set("call", call)?;
    let run = slot.clone();
    let pcall = lua.create_function(move |lua, words| {
        let reply = run.dispatch(&words);
        convert::to_lua(lua, reply, run.protocol())
    })?;
    redis.raw_set("pcall", pcall)?;
    for (name, value) in LOG_LEVELS.into_iter().chain(REPLICATION_MODES) {
        redis.raw_set(name, value)?;
    }
    redis.raw_set("REDIS_VERSION", REDIS_VERSION)?;
    redis.raw_set("REDIS_VERSION_NUM", REDIS_VERSION_NUM)?;
    redis.raw_set("log", lua.create_function(|_, words| log(&words))?)?;
    redis.raw_set("sha1hex", lua.create_function(|lua, words| sha1hex(lua, &words))?)?;
    redis.raw_set("error_reply", lua.create_function(|lua, words| error_reply(lua, &words))?)?;
    redis.raw_set("status_reply", lua.create_function(|lua, words| status_reply(lua, &words))?)?;
    let run = slot.clone();
    let setresp = lua.create_function(move |_, words: MultiValue| set_resp(&run, &words))?;
    redis.raw_set("setresp", setresp)?;
    redis.raw_set("set_repl", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    redis.raw_set("replicate_commands", lua.create_function(|_, ()| Ok(true))?)?;
    redis.raw_set("breakpoint", lua.create_function(|_, ()| Ok(false))?)?;
    redis.raw_set("debug", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    Ok(redis)
}

fn log(words: &MultiValue) -> mlua::Result<()> {
    if words.len() < 2 {
        return Err(Raised::text("ERR redis.log() requires two arguments or more."));
    }
    let level = words[0].as_i64().or_else(|| words[0].as_f64().map(|_| -1));
    match level {
        None => Err(Raised::text("ERR First argument must be a number (log level).")),
        Some(0..=3) => Ok(()),
        Some(_) => Err(Raised::text("ERR Invalid debug level.")),
    }
}

fn sha1hex(lua: &Lua, words: &MultiValue) -> mlua::Result<String> {
    if words.len() != 1 {
        return Err(Raised::text("ERR wrong number of arguments"));
    }
    let text = lua.coerce_string(words[0].clone())?;
    Ok(Sha::of(&text.map_or_else(Vec::new, |text| text.as_bytes().to_vec())).to_string())
}

/// The first word is the code; a text of one word gets the general one.
fn error_reply(lua: &Lua, words: &MultiValue) -> mlua::Result<Table> {
    let Some(text) = only_text(words) else { return wrong_arguments(lua) };
    let text = text.strip_prefix(b"-").unwrap_or(&text).trim_ascii_end();
    if text.iter().any(|byte| matches!(byte, b' ' | b'\r' | b'\n')) {
        labelled(lua, "err", text)
    } else {
        labelled(lua, "err", &[b"ERR ", text].concat())
    }
}

fn status_reply(lua: &Lua, words: &MultiValue) -> mlua::Result<Table> {
    match only_text(words) {
        Some(text) => labelled(lua, "ok", &text),
        None => wrong_arguments(lua),
    }
}

fn only_text(words: &MultiValue) -> Option<Vec<u8>> {
    match words.front() {
        Some(Value::String(text)) if words.len() == 1 => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

/// Returned, not raised, as in Redis.
fn wrong_arguments(lua: &Lua) -> mlua::Result<Table> {
    labelled(lua, "err", b"ERR wrong number or type of arguments")
}

fn set_resp(run: &Slot, words: &MultiValue) -> mlua::Result<()> {
    if words.len() != 1 {
        return Err(Raised::text("ERR redis.setresp() requires one argument."));
    }
    match words[0].as_i64() {
        Some(2) => run.set_protocol(Protocol::Resp2),
        Some(3) => run.set_protocol(Protocol::Resp3),
        _ => return Err(Raised::text("ERR RESP version must be 2 or 3.")),
    }
    Ok(())
}

//! The place where scripts live, and the errors that leave it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, MultiValue, StdLib, Table, Value};

use super::failure::{describe, exceeded, message};
use super::random::Random;
use super::running::Slot;
use super::{Access, api, bits, cjson};
use crate::reply::Refusal;

/// A Lua 5.1 machine with no way out: no files, no system, no modules.
pub(super) fn machine() -> mlua::Result<Lua> {
    // Coroutines come with the base library, which is always there.
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
    Lua::new_with(libraries, LuaOptions::new())
}

/// The doors into what `prelude.lua` built.
#[derive(Debug)]
pub(super) struct Sandbox {
    environment: Table,
    run: Function,
}

impl Sandbox {
    pub(super) fn new(lua: &Lua, slot: &Slot) -> mlua::Result<Self> {
        let host = lua.create_table()?;
        host.raw_set("redis", api::table(lua, slot)?)?;
        host.raw_set("cjson", cjson::table(lua)?)?;
        host.raw_set("bit", bits::table(lua)?)?;
        host.raw_set("describe", lua.create_function(describe)?)?;
        host.raw_set("message", lua.create_function(|lua, error| message(lua, &error))?)?;
        host.raw_set("limit", lua.create_function(|_, error: Value| Ok(exceeded(&error)))?)?;
        let random = Arc::new(Random::new(0));
        let seeded = Arc::clone(&random);
        host.raw_set("random", lua.create_function(move |_, ()| Ok(random.next()))?)?;
        let seed = lua.create_function(move |_, number: f64| {
            seeded.seed(seed_of(number));
            Ok(())
        })?;
        host.raw_set("seed", seed)?;
        let compile =
            lua.create_function(|lua, (source, name)| compile_loaded(lua, source, name))?;
        host.raw_set("compile", compile)?;
        let prelude = lua.load(include_str!("prelude.lua")).set_name("=prelude");
        let (environment, run) = prelude.call::<(Table, Function)>(host)?;
        lua.set_named_registry_value(ENVIRONMENT, &environment)?;
        Ok(Self { environment, run })
    }

    /// Compiles text, never binary chunks, into a function inside the sandbox.
    pub(super) fn compile(&self, lua: &Lua, source: &[u8], name: &str) -> mlua::Result<Function> {
        let chunk = lua.load(source).set_name(name).set_mode(ChunkMode::Text);
        chunk.set_environment(self.environment.clone()).into_function()
    }

    /// Runs `function`: `true` and its value, or `false` and a description of its failure.
    pub(super) fn run(
        &self,
        lua: &Lua,
        function: &Function,
        keys: &[Bytes],
        arguments: &[Bytes],
    ) -> mlua::Result<(bool, Value)> {
        self.run.call((function, strings(lua, keys)?, strings(lua, arguments)?))
    }
}

const ENVIRONMENT: &str = "lockproof_environment";

fn strings(lua: &Lua, words: &[Bytes]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(words.len(), 0)?;
    for (index, word) in words.iter().enumerate() {
        table.raw_set(index + 1, lua.create_string(word)?)?;
    }
    Ok(table)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wraps, as in C")]
fn seed_of(number: f64) -> u32 {
    number as i64 as u32
}

/// `loadstring`: a function, or nil and why not.
fn compile_loaded(
    lua: &Lua,
    source: mlua::LuaString,
    name: mlua::LuaString,
) -> mlua::Result<MultiValue> {
    let environment: Table = lua.named_registry_value(ENVIRONMENT)?;
    let source = source.as_bytes().to_vec();
    let chunk = lua.load(source).set_name(name.to_string_lossy()).set_mode(ChunkMode::Text);
    match chunk.set_environment(environment).into_function() {
        Ok(function) => lua.pack_multi(function),
        Err(error) => lua.pack_multi((Value::Nil, syntax_message(&error))),
    }
}

pub(super) fn syntax_message(error: &mlua::Error) -> String {
    match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// Redis' `#!lua flags=no-writes`. The line stays, empty, so that line numbers are those of the
/// source.
pub(super) fn read_shebang(source: &[u8]) -> Result<(Access, Cow<'_, [u8]>), Refusal> {
    let Some(rest) = source.strip_prefix(b"#!") else {
        return Ok((Access::ReadWrite, Cow::Borrowed(source)));
    };
    let end = rest.iter().position(|&byte| byte == b'\n');
    let end = end.ok_or(Refusal::fixed("ERR Invalid script shebang"))?;
    let line = String::from_utf8_lossy(&rest[..end]);
    let mut words = line.split_whitespace();
    let engine = words.next().unwrap_or("");
    if engine != "lua" {
        return Err(Refusal::new(format!("ERR Unexpected engine in script shebang: #!{engine}")));
    }
    let mut access = Access::ReadWrite;
    for word in words {
        let flags = word
            .strip_prefix("flags=")
            .ok_or_else(|| Refusal::new(format!("ERR Unknown lua shebang option: {word}")))?;
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            match flag {
                "no-writes" => access = Access::ReadOnly,
                "allow-oom" | "allow-stale" | "no-cluster" | "allow-cross-slot-keys" => {}
                _ => {
                    let text = format!("ERR Unexpected flag in script shebang: {flag}");
                    return Err(Refusal::new(text));
                }
            }
        }
    }
    Ok((access, Cow::Borrowed(&rest[end..])))
}

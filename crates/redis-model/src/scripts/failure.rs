//! Errors that arise in scripts: how they are raised, described and told to the client.

use std::fmt;

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::sha::Sha;
use crate::reply::Refusal;

/// A refusal that `redis.call` raises inside a script.
#[derive(Debug)]
pub(super) struct Raised(Bytes);

impl Raised {
    pub(super) fn error(text: Bytes) -> mlua::Error {
        mlua::Error::external(Self(text))
    }

    pub(super) fn text(text: &'static str) -> mlua::Error {
        Self::error(Bytes::from_static(text.as_bytes()))
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl std::error::Error for Raised {}

/// The run has used up its instructions. No script can catch this.
#[derive(Debug, Clone)]
pub(super) struct Exceeded(u64);

impl Exceeded {
    pub(super) fn error(instructions: u64) -> mlua::Error {
        mlua::Error::external(Self(instructions))
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "script exceeded the limit of {} instructions", self.0)
    }
}

impl std::error::Error for Exceeded {}

pub(super) fn exceeded(error: &Value) -> Option<mlua::Error> {
    let Value::Error(error) = error else { return None };
    error.downcast_ref::<Exceeded>().map(|exceeded| mlua::Error::external(exceeded.clone()))
}

/// The text of a host's error; a limit is raised once more.
pub(super) fn message(lua: &Lua, error: &Value) -> mlua::Result<Value> {
    if let Some(limit) = exceeded(error) {
        return Err(limit);
    }
    match error {
        Value::Error(error) => Ok(Value::String(lua.create_string(host_text(error))?)),
        other => Ok(other.clone()),
    }
}

fn host_text(error: &mlua::Error) -> Bytes {
    if let Some(Raised(text)) = error.downcast_ref() {
        return text.clone();
    }
    let text = match error {
        mlua::Error::CallbackError { cause, .. } => return host_text(cause),
        mlua::Error::RuntimeError(text) | mlua::Error::MemoryError(text) => text.clone(),
        other => other.to_string(),
    };
    Bytes::from(format!("ERR {text}"))
}

/// The handler of a script's uncaught error, called where it was raised: `{err, source, line}`.
pub(super) fn describe(lua: &Lua, error: Value) -> mlua::Result<Table> {
    let description = lua.create_table()?;
    let text = match &error {
        Value::Error(error) => host_text(error),
        Value::Table(table) => match table.raw_get("err")? {
            Value::String(text) => Bytes::copy_from_slice(&text.as_bytes()),
            _ => Bytes::from_static(b"ERR unknown error"),
        },
        other => {
            let text = lua.coerce_string(other.clone())?;
            let text = text.map_or_else(
                || other.to_string().unwrap_or_default().into_bytes(),
                |text| text.as_bytes().to_vec(),
            );
            Bytes::from([b"ERR ", &text[..]].concat())
        }
    };
    description.raw_set("err", lua.create_string(text)?)?;
    if let Some(place) = place(lua) {
        description.raw_set("place", place)?;
    }
    Ok(description)
}

/// The innermost line of Lua that belongs to a script: not the host's functions, not the prelude's.
fn place(lua: &Lua) -> Option<String> {
    const LEVELS_MAX: usize = 16;
    (0..LEVELS_MAX).find_map(|level| {
        lua.inspect_stack(level, |frame| {
            let source = frame.source();
            let file = source.source?;
            let line = frame.current_line()?;
            let is_script = source.what != "C" && file != "=prelude";
            is_script.then(|| format!("{file}:{line}"))
        })?
    })
}

/// Why a script ended early.
#[derive(Debug)]
pub(super) struct Failure {
    text: Bytes,
    place: Option<String>,
}

impl Failure {
    /// From what [`describe`] made; running out of memory does not pass there.
    pub(super) fn from_lua(error: &Value) -> Self {
        let Value::Table(description) = error else {
            let text = match error {
                Value::Error(error) => host_text(error),
                other => Bytes::from(format!("ERR {}", other.to_string().unwrap_or_default())),
            };
            return Self { text, place: None };
        };
        let text = match description.raw_get("err") {
            Ok(Value::String(text)) => Bytes::copy_from_slice(&text.as_bytes()),
            _ => Bytes::from_static(b"ERR unknown error"),
        };
        Self { text, place: description.raw_get("place").ok().flatten() }
    }

    pub(super) fn from_host(error: &mlua::Error) -> Self {
        Self { text: host_text(error), place: None }
    }

    /// Whether memory ran out.
    pub(super) fn is_memory(&self) -> bool {
        self.text.ends_with(b"not enough memory")
    }

    /// As Redis 7 words it.
    pub(super) fn describe(&self, sha: Sha) -> Refusal {
        let mut text = self.text.to_vec();
        if let Some(place) = &self.place {
            text.extend_from_slice(format!(" script: {sha}, on {place}.").as_bytes());
        }
        Refusal::new(text)
    }
}

//! Errors that arise in scripts: how they are raised, described and told to the client.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use mlua::debug::Debug;
use mlua::{Lua, Table, Value};

use super::plain::Failed;
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

/// An error of a library, with the place of its caller, as Lua's own functions raise it.
#[derive(Debug)]
pub(super) struct Complaint(String);

impl Complaint {
    pub(super) fn error(lua: &Lua, text: &str) -> mlua::Error {
        // Only the direct caller counts, so that `pcall` gets the bare text.
        let place = lua.inspect_stack(1, place_of).flatten().unwrap_or_default();
        let place = place.strip_prefix('@').unwrap_or(&place);
        let colon = if place.is_empty() { "" } else { ": " };
        mlua::Error::external(Self(format!("{place}{colon}{text}")))
    }
}

impl Complaint {
    /// Of a function that got something else than the text that it reads. A caller which is no
    /// script knows no name for it.
    pub(super) fn not_a_string(lua: &Lua, function: &str, got: &str) -> mlua::Error {
        let is_named = lua.inspect_stack(1, place_of).flatten().is_some();
        let function = if is_named { function } else { "?" };
        let text = format!("bad argument #1 to '{function}' (string expected, got {got})");
        Self::error(lua, &text)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Complaint {}

/// The run has used up its instructions or its time. No script can catch this.
#[derive(Debug, Clone)]
pub(super) enum Exceeded {
    Instructions(u64),
    Time(Duration),
}

impl Exceeded {
    pub(super) fn raise(self) -> mlua::Error {
        mlua::Error::external(self)
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instructions(most) => {
                write!(out, "script exceeded the limit of {most} instructions")
            }
            Self::Time(most) => write!(out, "script exceeded the limit of {most:?}"),
        }
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
        Value::Error(error) => {
            if let Some(Complaint(text)) = error.downcast_ref() {
                return Ok(Value::String(lua.create_string(text)?));
            }
            Ok(Value::String(lua.create_string(host_text(error))?))
        }
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
    (0..LEVELS_MAX).find_map(|level| lua.inspect_stack(level, place_of)?)
}

fn place_of(frame: &Debug<'_>) -> Option<String> {
    let source = frame.source();
    let file = source.source?;
    let line = frame.current_line()?;
    let is_script = source.what != "C" && file != "=prelude";
    is_script.then(|| format!("{file}:{line}"))
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

    /// Of a script that needed no machine.
    pub(super) fn from_plain(failed: Failed) -> Self {
        Self { text: failed.text, place: Some(format!("@user_script:{}", failed.line)) }
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

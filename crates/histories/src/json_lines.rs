//! One event a line, as JSON: `{"process": 1, "type": "invoke", "f": "acquire", "lock": "a", "fence": 7}`.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use crate::LockHistory;
use crate::error::{Place, ReadError};
use crate::event::{Event, Kind, Pairing, action};

/// A line that is longer holds no event.
const LONGEST: u64 = 1 << 20;

/// Reads a history of one JSON object a line. Empty lines are skipped.
///
/// # Errors
/// A line is too long, no JSON, no event, or does not fit those before it; or there is no event at all.
pub fn read_json_lines(mut input: impl BufRead) -> Result<LockHistory, ReadError> {
    let mut pairing = Pairing::default();
    let mut line = Vec::new();
    let mut place = Place::START;
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        let read = read.map_err(|error| ReadError::reading(place, &error))?;
        if read == 0 {
            return pairing.finish(place);
        }
        if u64::try_from(read).is_ok_and(|read| read == LONGEST) && !line.ends_with(b"\n") {
            return Err(ReadError::new(place, format!("a line of more than {LONGEST} bytes")));
        }
        if !line.trim_ascii().is_empty() {
            pairing.take(event(&line, place)?)?;
        }
        place.line = place.line.saturating_add(1);
    }
}

fn event(line: &[u8], place: Place) -> Result<Event, ReadError> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let column = u32::try_from(error.column()).unwrap_or(u32::MAX).max(1);
        let said = error.to_string();
        let what = said.split(" at line ").next().unwrap_or_default();
        ReadError::new(Place { column, ..place }, format!("no JSON: {what}"))
    })?;
    let wrong = |what: &str| ReadError::new(place, what);
    let Value::Object(fields) = value else {
        return Err(wrong(
            "an event is a JSON object, as in {\"process\":1,\"type\":\"ok\",\"f\":\"acquire\"}",
        ));
    };
    let text = |name| fields.get(name).and_then(Value::as_str);
    let kind = text("type").and_then(Kind::find);
    let kind = kind.ok_or_else(|| wrong("`type` is one of invoke, ok, fail, info"))?;
    let action = text("f").and_then(action).ok_or_else(|| wrong("`f` is acquire or release"))?;
    let process =
        name(&fields, "process").ok_or_else(|| wrong("`process` is a number or a text"))?;
    let fence = match fields.get("fence") {
        None | Some(Value::Null) => None,
        Some(fence) => Some(fence.as_u64().ok_or_else(|| wrong("`fence` is a number from 0 up"))?),
    };
    Ok(Event {
        place,
        kind,
        action,
        process,
        owner: name(&fields, "owner"),
        lock: name(&fields, "lock"),
        fence,
    })
}

fn name(fields: &Map<String, Value>, field: &str) -> Option<String> {
    match fields.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

//! Lua's values as JSON.

use std::io::Write as _;

use mlua::{Table, Value};

use crate::number::general;

const DEPTH_MAX: usize = 1_000;
/// An array may have holes as long as it is short or not mostly holes.
const SPARSE_SAFE: f64 = 10.0;
const SPARSE_RATIO: f64 = 2.0;

/// Why not, in the library's words.
type Failure = String;

/// Text and values in all: a table may be met by many ways, and then grows without bound.
const BYTES_MAX: usize = 64 << 20;
const VALUES_MAX: usize = 1 << 20;

/// A table whose end has not been written, and what is still to come, the next last.
struct Open {
    end: u8,
    is_fresh: bool,
    rest: Vec<(Value, Value)>,
}

/// Writes `value`. What is open is kept in a list of its own: tables may nest deeper than a thread
/// has stack.
pub(super) fn document(value: &Value) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut next = value.clone();
    for _ in 0..VALUES_MAX {
        match next {
            Value::Table(table) if open.len() < DEPTH_MAX => open.push(begin(&table, &mut out)?),
            Value::Table(_) => return Err("Cannot serialise, excessive nesting (1001)".to_owned()),
            simple => self::simple(&simple, &mut out)?,
        }
        if out.len() > BYTES_MAX {
            break;
        }
        next = loop {
            let Some(table) = open.last_mut() else { return Ok(out) };
            if let Some((name, element)) = table.rest.pop() {
                if !std::mem::take(&mut table.is_fresh) {
                    out.push(b',');
                }
                if table.end == b'}' {
                    self::name(&name, &mut out)?;
                }
                break element;
            }
            out.push(table.end);
            open.pop();
        };
    }
    Err("not enough memory".to_owned())
}

fn simple(value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(pointer) if pointer.0.is_null() => out.extend_from_slice(b"null"),
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Integer(number) => self::number(*number as f64, out)?,
        Value::Number(number) => self::number(*number, out)?,
        Value::String(text) => string(&text.as_bytes(), out),
        other => {
            let kind = other.type_name();
            return Err(format!("Cannot serialise {kind}: type not supported"));
        }
    }
    Ok(())
}

fn number(number: f64, out: &mut Vec<u8>) -> Result<(), Failure> {
    if !number.is_finite() {
        return Err("Cannot serialise number: must not be NaN or Inf".to_owned());
    }
    out.extend_from_slice(general(number, 14).as_bytes());
    Ok(())
}

fn begin(table: &Table, out: &mut Vec<u8>) -> Result<Open, Failure> {
    let (start, end, mut rest): (_, _, Vec<_>) = match array_len(table)? {
        Some(len) => {
            let element = |index| (Value::Nil, table.raw_get(index).unwrap_or(Value::Nil));
            (b'[', b']', (1..=len).map(element).collect())
        }
        None => (b'{', b'}', table.pairs::<Value, Value>().map_while(Result::ok).collect()),
    };
    rest.reverse();
    out.push(start);
    Ok(Open { end, is_fresh: true, rest })
}

/// The name of an object's element.
fn name(name: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
    match name {
        Value::Integer(index) => quoted_number(*index as f64, out)?,
        Value::Number(index) => quoted_number(*index, out)?,
        Value::String(name) => string(&name.as_bytes(), out),
        _ => {
            return Err("Cannot serialise table: table key must be a number or string".to_owned());
        }
    }
    out.push(b':');
    Ok(())
}

/// The highest index, when all keys are whole numbers from 1 on; an empty table is an object.
fn array_len(table: &Table) -> Result<Option<i64>, Failure> {
    let (mut highest, mut count) = (0.0_f64, 0.0);
    for pair in table.pairs::<Value, Value>() {
        let Ok((key, _)) = pair else { return Ok(None) };
        let index = match key {
            Value::Integer(index) => index as f64,
            Value::Number(index) => index,
            _ => return Ok(None),
        };
        if index < 1.0 || index.fract() != 0.0 {
            return Ok(None);
        }
        highest = highest.max(index);
        count += 1.0;
    }
    if highest > SPARSE_SAFE && highest > count * SPARSE_RATIO {
        return Err("Cannot serialise table: excessively sparse array".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most twice the table's size")]
    Ok((count > 0.0).then_some(highest as i64))
}

fn quoted_number(number: f64, out: &mut Vec<u8>) -> Result<(), Failure> {
    out.push(b'"');
    self::number(number, out)?;
    out.push(b'"');
    Ok(())
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' | b'/' => out.extend_from_slice(&[b'\\', byte]),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..32 | 127 => {
                // Writing to a vector cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
            plain => out.push(plain),
        }
    }
    out.push(b'"');
}

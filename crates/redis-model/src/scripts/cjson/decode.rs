//! JSON as Lua's values.

use mlua::{Lua, LuaString, Table, Value};

use crate::scripts::failure::Complaint;

const DEPTH_MAX: usize = 1_000;

/// Reads one document. What is open is kept in a list of its own: text may nest deeper than a thread
/// has stack.
pub(super) struct Decoder<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    open: Vec<Open>,
}

/// A table whose end has not come.
enum Open {
    Array(Table, usize),
    /// With the name that waits for its value.
    Object(Table, LuaString),
}

impl<'a> Decoder<'a> {
    pub(super) const fn new(lua: &'a Lua, text: &'a [u8]) -> Self {
        Self { lua, text, at: 0, open: Vec::new() }
    }

    pub(super) fn document(mut self) -> mlua::Result<Value> {
        loop {
            let Some(mut value) = self.value()? else { continue };
            // A value may be the last of its table, which is then a value itself.
            loop {
                let Some(open) = self.open.pop() else { return self.end(value) };
                match self.close(open, value)? {
                    Some(closed) => value = closed,
                    None => break,
                }
            }
        }
    }

    fn end(&mut self, value: Value) -> mlua::Result<Value> {
        self.space();
        if self.at < self.text.len() { Err(self.expected("the end")) } else { Ok(value) }
    }

    /// Puts `value` into the table that waits for it; gives the table when that was its end.
    fn close(&mut self, open: Open, value: Value) -> mlua::Result<Option<Value>> {
        let (table, end, expected) = match &open {
            Open::Array(table, len) => {
                table.raw_set(len + 1, value)?;
                (table.clone(), b']', "comma or array end")
            }
            Open::Object(table, name) => {
                table.raw_set(name, value)?;
                (table.clone(), b'}', "comma or object end")
            }
        };
        if self.take(end) {
            return Ok(Some(Value::Table(table)));
        }
        if !self.take(b',') {
            return Err(self.expected(expected));
        }
        let open = match open {
            Open::Array(table, len) => Open::Array(table, len + 1),
            Open::Object(table, _) => Open::Object(table, self.name()?),
        };
        self.open.push(open);
        Ok(None)
    }

    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> mlua::Error {
        self.found(what, self.token())
    }

    fn found(&self, what: &str, found: &str) -> mlua::Error {
        let place = self.at + 1;
        let text = format!("Expected {what} but found {found} at character {place}");
        Complaint::error(self.lua, &text)
    }

    /// What comes next, by the library's names.
    fn token(&self) -> &'static str {
        match &self.text[self.at.min(self.text.len())..] {
            [] => "T_END",
            [b'{', ..] => "T_OBJ_BEGIN",
            [b'}', ..] => "T_OBJ_END",
            [b'[', ..] => "T_ARR_BEGIN",
            [b']', ..] => "T_ARR_END",
            [b':', ..] => "T_COLON",
            [b',', ..] => "T_COMMA",
            [b'"', ..] => "T_STRING",
            [b't', b'r', b'u', b'e', ..] | [b'f', b'a', b'l', b's', b'e', ..] => "T_BOOLEAN",
            [b'n', b'u', b'l', b'l', ..] => "T_NULL",
            rest if number(rest).is_some() => "T_NUMBER",
            [b'-' | b'0'..=b'9', ..] => "invalid number",
            _ => "invalid token",
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// A whole value, or nothing when a table has been opened.
    fn value(&mut self) -> mlua::Result<Option<Value>> {
        self.space();
        let rest = &self.text[self.at..];
        let (value, len) = match rest {
            [b'{', ..] => return self.begin(b'}'),
            [b'[', ..] => return self.begin(b']'),
            [b'"', ..] => return Ok(Some(Value::String(self.string()?))),
            [b't', b'r', b'u', b'e', ..] => (Value::Boolean(true), 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (Value::Boolean(false), 5),
            [b'n', b'u', b'l', b'l', ..] => (Value::NULL, 4),
            _ => number(rest).ok_or_else(|| self.expected("value"))?,
        };
        self.at += len;
        Ok(Some(value))
    }

    /// Opens a table; an empty one is whole at once.
    fn begin(&mut self, end: u8) -> mlua::Result<Option<Value>> {
        self.at += 1;
        if self.open.len() >= DEPTH_MAX {
            let text = format!("Found too many nested data structures ({})", DEPTH_MAX + 1);
            return Err(Complaint::error(self.lua, &text));
        }
        let table = self.lua.create_table()?;
        if self.take(end) {
            return Ok(Some(Value::Table(table)));
        }
        let open = match end {
            b']' => Open::Array(table, 0),
            _ => Open::Object(table, self.name()?),
        };
        self.open.push(open);
        Ok(None)
    }

    fn name(&mut self) -> mlua::Result<LuaString> {
        self.space();
        if self.text.get(self.at) != Some(&b'"') {
            return Err(self.expected("object key string"));
        }
        let name = self.string()?;
        if self.take(b':') { Ok(name) } else { Err(self.expected("colon")) }
    }

    fn string(&mut self) -> mlua::Result<LuaString> {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return self.lua.create_string(text);
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(0) | None => return Err(self.found("value", "unexpected end of string")),
                Some(&plain) => {
                    text.push(plain);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> mlua::Result<()> {
        let plain = match self.text.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 12,
            Some(b'r') => b'\r',
            Some(b'u') => {
                let character = self.unicode();
                let character =
                    character.ok_or_else(|| self.found("value", "invalid unicode escape code"))?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.found("value", "invalid escape code")),
        };
        text.push(plain);
        self.at += 2;
        Ok(())
    }

    /// `\uXXXX`, or two of them for what lies beyond 16 bits.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex_at(self.at)?;
        let (code, len) = if (0xD800..0xDC00).contains(&high) {
            let low = self.hex_at(self.at + 6)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            (0x1_0000 + ((high - 0xD800) << 10) + low, 12)
        } else {
            (high, 6)
        };
        self.at += len;
        char::from_u32(code)
    }

    fn hex_at(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let all_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| all_hex)?;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// The longest beginning of `text` that C reads as a number, names of the infinite included; C's
/// hexadecimal form is not read.
fn number(text: &[u8]) -> Option<(Value, usize)> {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let most = text.iter().take_while(belongs).count();
    let text = std::str::from_utf8(&text[..most]).ok()?;
    if text.starts_with('.') {
        return None;
    }
    (1..=most).rev().find_map(|len| Some((Value::Number(text[..len].parse().ok()?), len)))
}

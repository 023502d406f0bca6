//! Replies as Redis sends them, RESP2 and RESP3: where one ends, whatever it holds.

use super::Unreadable;
use super::resp_requests::Number;

/// Nested deeper than this nothing is that Redis says.
const DEEPEST: usize = 64;
/// A line is an error's text, or a number.
const LINE_LONGEST: usize = 64 * 1024;
/// Redis sends no longer string, and no longer list.
const LONGEST: u32 = 1024 * 1024 * 1024;

/// Reads one reply after the other.
#[derive(Debug, Default)]
pub(super) struct Replies {
    state: State,
    /// Items to come of each list around.
    open: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Where a value begins.
    #[default]
    Type,
    /// In a line, this far.
    Line(usize),
    /// In the length of a string.
    Length(Number),
    /// In a string and its CRLF, so many bytes of which are to come.
    String(u64),
    /// In the count of a list, of which each item is so many values.
    Count(Number, Items),
}

#[derive(Clone, Copy, Debug)]
enum Items {
    Values,
    Pairs,
    /// Pairs that say something of the value that follows them.
    Attributes,
}

impl Replies {
    /// Reads to the end of the reply, if that is here, and says how many bytes that was.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        let mut at = 0;
        while at < bytes.len() {
            let is_whole = match self.state {
                State::String(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    at += here;
                    let left = left - here as u64;
                    self.state = State::String(left);
                    left == 0 && self.value_ends()
                }
                State::Line(length) => {
                    let rest = &bytes[at..];
                    let end = rest.iter().position(|&byte| byte == b'\n');
                    let here = end.map_or(rest.len(), |end| end + 1);
                    if length + here > LINE_LONGEST {
                        return Err(Unreadable);
                    }
                    at += here;
                    self.state = State::Line(length + here);
                    end.is_some() && self.value_ends()
                }
                _ => {
                    at += 1;
                    self.byte(bytes[at - 1])?
                }
            };
            if is_whole {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Whether a reply has begun that is not whole.
    pub(super) const fn is_inside(&self) -> bool {
        !matches!(self.state, State::Type) || !self.open.is_empty()
    }

    /// Takes a byte outside lines and strings; whether the reply is whole with it.
    fn byte(&mut self, byte: u8) -> Result<bool, Unreadable> {
        match &mut self.state {
            State::Type => {
                let number = Number::default();
                self.state = match byte {
                    b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => State::Line(0),
                    b'$' | b'!' | b'=' => State::Length(number),
                    b'*' | b'~' | b'>' => State::Count(number, Items::Values),
                    b'%' => State::Count(number, Items::Pairs),
                    b'|' => State::Count(number, Items::Attributes),
                    _ => return Err(Unreadable),
                };
                Ok(false)
            }
            State::Length(number) => match number.take(byte)? {
                None => Ok(false),
                Some(None) => Ok(self.value_ends()),
                Some(Some(length)) if length <= LONGEST => {
                    self.state = State::String(u64::from(length) + 2);
                    Ok(false)
                }
                Some(Some(_)) => Err(Unreadable),
            },
            State::Count(number, items) => {
                let items = *items;
                match number.take(byte)? {
                    None => Ok(false),
                    Some(None) => Ok(self.value_ends()),
                    Some(Some(count)) if count <= LONGEST => self.list_begins(count.into(), items),
                    Some(Some(_)) => Err(Unreadable),
                }
            }
            State::Line(_) | State::String(_) => Err(Unreadable),
        }
    }

    fn list_begins(&mut self, count: u64, items: Items) -> Result<bool, Unreadable> {
        self.state = State::Type;
        let values = match items {
            Items::Values => count,
            Items::Pairs => count * 2,
            Items::Attributes => count * 2 + 1,
        };
        if values == 0 {
            return Ok(self.value_ends());
        }
        if self.open.len() == DEEPEST {
            return Err(Unreadable);
        }
        self.open.push(values);
        Ok(false)
    }

    /// A value is whole; whether the reply is with it.
    fn value_ends(&mut self) -> bool {
        self.state = State::Type;
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

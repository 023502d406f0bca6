//! Jepsen's histories: maps of EDN, one after another or in one vector.
//!
//! ```text
//!   {:type :invoke, :f :acquire, :process 0, :value nil}
//!   {:type :ok, :f :acquire, :process 0, :value {:client "n1-0", :fence 7}}
//! ```
//!
//! A value may be the fencing token, a map with `:client` and `:fence`, or a pair of a key and such a value, as
//! `jepsen.independent` writes it. Events of processes that are keywords (`:nemesis`) are no lock's. The reader knows
//! all of EDN that is written there, and ignores tags.

use std::io::BufRead;

use crate::LockHistory;
use crate::error::{Place, ReadError};
use crate::event::{Event, Kind, Pairing, action};

/// Deeper nesting is no event.
const DEEPEST: u32 = 64;
/// Nor is a form of more bytes.
const LONGEST: u64 = 1 << 20;

/// Reads a history of Jepsen's.
///
/// # Errors
/// A form is cut short, too large, no EDN, no event, or does not fit those before it; or there is no event at all.
pub fn read_edn(input: impl BufRead) -> Result<LockHistory, ReadError> {
    let mut reader = Reader::new(input);
    let mut pairing = Pairing::default();
    let mut vector: Option<Place> = None;
    loop {
        reader.skip_blank()?;
        let place = reader.place;
        reader.room = LONGEST;
        match (reader.peek()?, vector) {
            (None, None) => return pairing.finish(place),
            (None, Some(_)) => {
                return Err(ReadError::new(place, "the file ends before its vector does"));
            }
            (Some(b'[' | b'('), None) => {
                reader.next()?;
                vector = Some(place);
            }
            (Some(b']' | b')'), Some(_)) => {
                reader.next()?;
                vector = None;
            }
            _ => {
                let form = reader.form(0)?;
                if let Some(event) = event(&form, place)? {
                    pairing.take(event)?;
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// Symbols, numbers, `nil`, `true`: whatever is a word.
    Word(String),
    Keyword(String),
    Text(String),
    /// Vectors, lists and sets.
    Many(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

impl Form {
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs
            .iter()
            .find(|(name, _)| *name == Self::Keyword(key.to_owned()))
            .map(|(_, value)| value)
    }

    fn keyword(&self) -> Option<&str> {
        if let Self::Keyword(word) = self { Some(word) } else { None }
    }

    /// What it says, where it is something simple.
    fn name(&self) -> Option<String> {
        match self {
            Self::Word(word) if word == "nil" => None,
            Self::Word(word) | Self::Keyword(word) | Self::Text(word) => Some(word.clone()),
            Self::Many(_) | Self::Map(_) => None,
        }
    }

    fn number(&self) -> Option<u64> {
        if let Self::Word(word) = self { word.trim_end_matches('N').parse().ok() } else { None }
    }
}

/// The event that a form is; none for what is not about a lock.
fn event(form: &Form, place: Place) -> Result<Option<Event>, ReadError> {
    let wrong = |what: &str| ReadError::new(place, what);
    if !matches!(form, Form::Map(_)) {
        return Err(wrong("an event is a map, as in {:type :ok, :f :acquire, :process 0}"));
    }
    let process = form.get("process").ok_or_else(|| wrong("the event has no :process"))?;
    if process.keyword().is_some() {
        return Ok(None);
    }
    let process = process.name().ok_or_else(|| wrong(":process is a number"))?;
    let kind = form.get("type").and_then(Form::keyword).and_then(Kind::find);
    let kind = kind.ok_or_else(|| wrong(":type is one of :invoke, :ok, :fail, :info"))?;
    let action = form.get("f").and_then(Form::keyword).and_then(action);
    let action = action.ok_or_else(|| wrong(":f is :acquire or :release"))?;
    let mut lock = form.get("lock").or_else(|| form.get("key")).and_then(Form::name);
    let mut value = form.get("value");
    if let Some(Form::Many(pair)) = value
        && let [key, of_key] = pair.as_slice()
    {
        lock = lock.or_else(|| key.name());
        value = Some(of_key);
    }
    let owner = value.and_then(|value| value.get("client")).and_then(Form::name);
    let fence = value.and_then(|value| value.get("fence").unwrap_or(value).number());
    Ok(Some(Event { place, kind, action, process, owner, lock, fence }))
}

/// Bytes, and where they stand.
struct Reader<R> {
    input: R,
    place: Place,
    /// Bytes that the form under way may still have.
    room: u64,
}

impl<R: BufRead> Reader<R> {
    fn new(input: R) -> Self {
        Self { input, place: Place::START, room: LONGEST }
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        let place = self.place;
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::reading(place, &error)),
            }
        }
    }

    fn next(&mut self) -> Result<Option<u8>, ReadError> {
        let Some(byte) = self.peek()? else { return Ok(None) };
        self.input.consume(1);
        if byte == b'\n' {
            self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        let left = self.room.checked_sub(1);
        self.room =
            left.ok_or_else(|| self.wrong(&format!("a form of more than {LONGEST} bytes")))?;
        Ok(Some(byte))
    }

    fn wrong(&self, what: &str) -> ReadError {
        ReadError::new(self.place, what)
    }

    /// White space, commas and comments, of any length.
    fn skip_blank(&mut self) -> Result<(), ReadError> {
        let room = self.room;
        while let Some(byte) = self.peek()? {
            self.room = LONGEST;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => drop(self.next()?),
                b';' => {
                    while self.next()?.is_some_and(|byte| byte != b'\n') {
                        self.room = LONGEST;
                    }
                }
                _ => break,
            }
        }
        self.room = room;
        Ok(())
    }

    fn form(&mut self, depth: u32) -> Result<Form, ReadError> {
        if depth > DEEPEST {
            return Err(self.wrong(&format!("nested more than {DEEPEST} deep")));
        }
        self.skip_blank()?;
        let start = self.place;
        match self.peek()? {
            None => Err(self.wrong("the file ends in the middle of a form")),
            Some(b'{') => {
                let forms = self.until(b'}', depth)?;
                if forms.len() % 2 == 1 {
                    return Err(ReadError::new(start, "a map with a key that has no value"));
                }
                let mut forms = forms.into_iter();
                let pairs = std::iter::from_fn(|| Some((forms.next()?, forms.next()?)));
                Ok(Form::Map(pairs.collect()))
            }
            Some(b'[') => self.until(b']', depth).map(Form::Many),
            Some(b'(') => self.until(b')', depth).map(Form::Many),
            Some(b'"') => self.text(),
            Some(b'#') => self.tagged(depth),
            Some(b':') => {
                self.next()?;
                self.word().map(Form::Keyword)
            }
            Some(b'\\') => {
                self.next()?;
                self.word().map(Form::Text)
            }
            Some(_) => self.word().map(Form::Word),
        }
    }

    /// The forms from an opening bracket to its end.
    fn until(&mut self, end: u8, depth: u32) -> Result<Vec<Form>, ReadError> {
        self.next()?;
        let mut forms = Vec::new();
        loop {
            self.skip_blank()?;
            if self.peek()? == Some(end) {
                self.next()?;
                return Ok(forms);
            }
            forms.push(self.form(depth + 1)?);
        }
    }

    /// `#{…}`, `#_ ignored`, and `#a.tag form`, whose tag says nothing that matters here.
    fn tagged(&mut self, depth: u32) -> Result<Form, ReadError> {
        self.next()?;
        match self.peek()? {
            Some(b'{') => self.until(b'}', depth).map(Form::Many),
            Some(b'_') => {
                self.next()?;
                self.form(depth + 1)?;
                self.form(depth + 1)
            }
            _ => {
                self.word()?;
                self.form(depth + 1)
            }
        }
    }

    fn text(&mut self) -> Result<Form, ReadError> {
        let start = self.place;
        self.next()?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                None => return Err(ReadError::new(start, "a text that has no end")),
                Some(b'"') => break,
                Some(b'\\') => bytes.extend(self.next()?),
                Some(byte) => bytes.push(byte),
            }
        }
        let text = String::from_utf8(bytes);
        text.map(Form::Text).map_err(|_| ReadError::new(start, "a text that is not UTF-8"))
    }

    fn word(&mut self) -> Result<String, ReadError> {
        let start = self.place;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek()? {
            if byte.is_ascii_whitespace() || b",;\"()[]{}".contains(&byte) || byte < b' ' {
                break;
            }
            bytes.extend(self.next()?);
        }
        match String::from_utf8(bytes) {
            Ok(word) if !word.is_empty() => Ok(word),
            Ok(_) => {
                let found = self.peek()?.map(char::from);
                let found = found.map_or("the end".to_owned(), |found| format!("{found:?}"));
                Err(ReadError::new(start, format!("expected a form, found {found}")))
            }
            Err(_) => Err(ReadError::new(start, "bytes that are no UTF-8: this is no EDN")),
        }
    }
}

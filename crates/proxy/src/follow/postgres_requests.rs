//! Messages as a client of Postgres sends them, protocol version 3.

use std::collections::BTreeMap;

use super::{KeysRead, Request, Unreadable};

/// Messages that a rule can name, as the protocol's documentation spells them.
pub(crate) const MESSAGES: [&str; 8] =
    ["Query", "Parse", "Bind", "Describe", "Execute", "Close", "Sync", "FunctionCall"];

/// What a statement begins with, and a rule can name.
pub(crate) const VERBS: [&str; 56] = [
    "ABORT",
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TABLE",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
    "VALIDATE",
    "REPACK",
    "WAIT",
    "PROPERTY",
];

/// So much of a message is looked at: names of statements, and what a statement begins with.
const LOOKED_AT: usize = 512;
/// Postgres refuses a longer first message, …
const STARTUP_LONGEST: u32 = 10_000;
/// … and no message of any kind is longer.
const LONGEST: u32 = 0x3fff_ffff;
/// Prepared statements and portals whose verb is remembered, of each connection.
const REMEMBERED: usize = 4096;

const SSL: u32 = 80_877_103;
const GSSAPI: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;

/// Reads one message after the other.
#[derive(Debug)]
pub(super) struct Requests {
    state: State,
    /// What was read of a header, and of what it heads.
    header: Vec<u8>,
    body: Vec<u8>,
    said: Said,
    /// Whether what was said last was the first of its batch, and whether the next will be.
    begins: bool,
    next_begins: bool,
    verb: Option<&'static str>,
    statements: Names,
    portals: Names,
    no_keys: KeysRead,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            state: State::default(),
            header: Vec::new(),
            body: Vec::new(),
            said: Said::default(),
            begins: true,
            next_begins: true,
            verb: None,
            statements: Names::default(),
            portals: Names::default(),
            no_keys: KeysRead::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In the first message, which has no type.
    #[default]
    Startup,
    /// In the type and length of a message.
    Header,
    /// In a message, so many bytes of which are to come.
    Body { kind: Option<u8>, left: u32 },
}

/// What the message was that was read last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Said {
    /// Something that is answered by nothing, or by the rules of logging in.
    #[default]
    Nothing,
    /// May we encrypt?
    MayWeEncrypt,
    /// One of [`MESSAGES`].
    Asked(&'static str),
}

impl Requests {
    /// Reads to the end of the message, if that is here, and says how many bytes that was.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::Startup | State::Header => {
                    self.header.push(bytes[at]);
                    at += 1;
                    self.header_grew()?;
                }
                State::Body { kind, left } => {
                    let here = (bytes.len() - at).min(left as usize);
                    let room = LOOKED_AT.saturating_sub(self.body.len());
                    self.body.extend_from_slice(&bytes[at..at + here.min(room)]);
                    at += here;
                    let left = left - u32::try_from(here).unwrap_or(left);
                    self.state = State::Body { kind, left };
                }
            }
            if let State::Body { kind, left: 0 } = self.state {
                self.message(kind)?;
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    pub(super) const fn said(&self) -> Said {
        self.said
    }

    /// The message that was read last, where it asked for something.
    pub(super) fn request(&self) -> Option<Request<'_>> {
        let Said::Asked(name) = self.said else { return None };
        let (begins, ends) = (self.begins, ends_batch(name));
        Some(Request { name, verb: self.verb, keys: &self.no_keys, sets_up: false, begins, ends })
    }

    /// Whether a message has begun that is not whole.
    pub(super) const fn is_inside(&self) -> bool {
        !self.header.is_empty() || matches!(self.state, State::Body { .. })
    }

    fn header_grew(&mut self) -> Result<(), Unreadable> {
        let (kind, length) = match (self.state, self.header.as_slice()) {
            (State::Startup, &[a, b, c, d]) => {
                let length = u32::from_be_bytes([a, b, c, d]);
                if !(8..=STARTUP_LONGEST).contains(&length) {
                    return Err(Unreadable);
                }
                (None, length)
            }
            (State::Header, &[kind, a, b, c, d]) => {
                let length = u32::from_be_bytes([a, b, c, d]);
                if !(4..=LONGEST).contains(&length) || !kind.is_ascii_alphabetic() {
                    return Err(Unreadable);
                }
                (Some(kind), length)
            }
            _ => return Ok(()),
        };
        self.header.clear();
        self.body.clear();
        self.state = State::Body { kind, left: length - 4 };
        Ok(())
    }

    fn message(&mut self, kind: Option<u8>) -> Result<(), Unreadable> {
        self.state = State::Header;
        self.verb = None;
        self.said = match kind {
            None => self.startup()?,
            Some(b'Q') => {
                self.verb = verb(&self.body);
                Said::Asked("Query")
            }
            Some(b'P') => {
                let (name, rest) = text(&self.body);
                self.verb = verb(rest);
                self.statements.remember(name, self.verb);
                Said::Asked("Parse")
            }
            Some(b'B') => {
                let (portal, rest) = text(&self.body);
                self.verb = self.statements.verb(text(rest).0);
                self.portals.remember(portal, self.verb);
                Said::Asked("Bind")
            }
            Some(b'D') => Said::Asked("Describe"),
            Some(b'E') => {
                self.verb = self.portals.verb(text(&self.body).0);
                Said::Asked("Execute")
            }
            Some(b'C') => {
                match self.body.split_first() {
                    Some((b'S', name)) => self.statements.forget(text(name).0),
                    Some((_, name)) => self.portals.forget(text(name).0),
                    None => {}
                }
                Said::Asked("Close")
            }
            Some(b'S') => Said::Asked("Sync"),
            Some(b'F') => Said::Asked("FunctionCall"),
            // Passwords, rows of a COPY, Flush and Terminate.
            Some(_) => Said::Nothing,
        };
        if let Said::Asked(name) = self.said {
            self.begins = self.next_begins;
            self.next_begins = ends_batch(name);
        }
        Ok(())
    }

    fn startup(&mut self) -> Result<Said, Unreadable> {
        let code = self.body.first_chunk().map(|code| u32::from_be_bytes(*code));
        match code {
            Some(SSL | GSSAPI) => {
                self.state = State::Startup; // asked in the clear, and then once more
                Ok(Said::MayWeEncrypt)
            }
            Some(CANCEL) => Ok(Said::Nothing),
            Some(version) if version >> 16 == 3 => Ok(Said::Nothing),
            _ => Err(Unreadable),
        }
    }
}

/// Whether the server answers all that it has not answered after it, and says when it is done.
pub(super) fn ends_batch(name: &str) -> bool {
    matches!(name, "Query" | "Sync" | "FunctionCall")
}

/// A text that ends with a zero, and what comes after it. One that is longer than what is looked at has no name.
fn text(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match bytes.iter().position(|&byte| byte == 0) {
        Some(end) => (Some(&bytes[..end]), &bytes[end + 1..]),
        None => (None, &[]),
    }
}

/// What a statement begins with, past blanks, comments and parentheses.
fn verb(statement: &[u8]) -> Option<&'static str> {
    let mut rest = statement;
    loop {
        rest = match rest {
            [b' ' | b'\t' | b'\r' | b'\n' | b'(' | b';', after @ ..] => after,
            [b'-', b'-', ..] => {
                let end = rest.iter().position(|&byte| byte == b'\n')?;
                &rest[end + 1..]
            }
            [b'/', b'*', ..] => {
                let end = rest.windows(2).position(|two| two == b"*/")?;
                &rest[end + 2..]
            }
            _ => break,
        };
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    VERBS.into_iter().find(|verb| verb.as_bytes().eq_ignore_ascii_case(&rest[..end]))
}

/// What prepared statements, or portals, do.
#[derive(Debug, Default)]
struct Names(BTreeMap<Vec<u8>, &'static str>);

impl Names {
    fn remember(&mut self, name: Option<&[u8]>, verb: Option<&'static str>) {
        let (Some(name), Some(verb)) = (name, verb) else { return self.forget(name) };
        if self.0.len() < REMEMBERED || self.0.contains_key(name) {
            self.0.insert(name.to_vec(), verb);
        }
    }

    fn forget(&mut self, name: Option<&[u8]>) {
        if let Some(name) = name {
            self.0.remove(name);
        }
    }

    fn verb(&self, name: Option<&[u8]>) -> Option<&'static str> {
        self.0.get(name?).copied()
    }
}

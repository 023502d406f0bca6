//! Which requests and replies the bytes of a connection are.
//!
//! ```text
//!   bytes upstream   ─▶ Requests ─┐ a request that is whole: its name, its keys
//!                                 ├─▶ Conversation ─▶ marks: what rules do to which bytes
//!   bytes downstream ─▶ Replies ──┘ whose reply it is that begins, goes on or ends
//! ```
//!
//! Readers are state machines over bytes, so that it makes no difference how a stream was cut into chunks. They keep of
//! a request what rules look at, and bounded, and never a byte of the stream itself. What cannot be read is an
//! [`Unreadable`]: from there on the connection passes unchanged, and no rule applies to it.

mod conversation;
mod dialect;
mod postgres_replies;
mod postgres_requests;
pub(crate) mod redis_commands;
mod resp_replies;
mod resp_requests;

pub(crate) use conversation::{Act, Conversation, Judge, Mark, Verdict};
pub(crate) use postgres_requests::{MESSAGES, VERBS};
pub(crate) use resp_requests::Requests as RespRequests;

/// A language that the proxy can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Of Redis: RESP2 and RESP3, and commands on a line.
    Redis,
    /// Of Postgres, version 3; what is inside TLS nobody can read.
    Postgres,
}

impl Protocol {
    /// As flags and rules spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }
}

/// The bytes are not of the protocol, or of a part of it that cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// What rules look at of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The command of Redis, or the message of Postgres; empty for a command that is in no catalog.
    pub(crate) name: &'static str,
    /// What the statement begins with, where it is one of Postgres'.
    pub(crate) verb: Option<&'static str>,
    /// The keys that it names.
    pub(crate) keys: &'a KeysRead,
    /// Whether it only sets the connection up.
    pub(crate) sets_up: bool,
    /// Whether it is the first of those that are answered together, and whether the last. Postgres answers what comes
    /// before a Sync at one time; whoever means any request means all of that.
    pub(crate) begins: bool,
    pub(crate) ends: bool,
}

/// Keys of a request, as far as they were kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeysRead {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Keys are kept up to so many bytes together …
const KEYS_LIMIT: usize = 4096;
/// … and so many of them; rules do not see more.
const KEYS_MOST: usize = 256;

impl KeysRead {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.bytes[begin..end])
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn begin(&mut self, length: usize) -> bool {
        self.ends.len() < KEYS_MOST && self.bytes.len() + length <= KEYS_LIMIT
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

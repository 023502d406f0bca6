//! What a command answers.

use bytes::Bytes;

/// A reply in the terms of RESP2.
///
/// Texts are bytes, since a script may put any into a status or an error; line breaks in them
/// become spaces when the reply is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A short word such as `OK`.
    Status(Bytes),
    /// A refusal, its code first: `WRONGTYPE Operation against …`.
    Error(Bytes),
    /// A signed number.
    Integer(i64),
    /// Bytes, usually a value.
    Bulk(Bytes),
    /// No value.
    NullBulk,
    /// Replies in order.
    Array(Vec<Self>),
    /// No array.
    NullArray,
}

impl Reply {
    /// `+OK`.
    pub const OK: Self = Self::Status(Bytes::from_static(b"OK"));

    /// A bulk reply that owns a copy of `bytes`.
    #[must_use]
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// A status whose line breaks, if any, have become spaces.
    #[must_use]
    pub fn status(text: impl AsRef<[u8]>) -> Self {
        Self::Status(one_line(text.as_ref()))
    }

    /// An error whose line breaks, if any, have become spaces.
    #[must_use]
    pub fn error(text: impl AsRef<[u8]>) -> Self {
        Self::Error(one_line(text.as_ref()))
    }

    /// The text of an error, when this is one.
    #[must_use]
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(text) => Some(text),
            _ => None,
        }
    }
}

/// A command's refusal: what `?` carries inside the command handlers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(Bytes);

/// What a command handler returns.
pub(crate) type Outcome = Result<Reply, Refusal>;

impl Refusal {
    pub(crate) const SYNTAX: Self = Self::fixed("ERR syntax error");
    pub(crate) const NOT_AN_INTEGER: Self =
        Self::fixed("ERR value is not an integer or out of range");

    pub(crate) const fn fixed(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        Self(one_line(text.as_ref()))
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Error(refusal.0)
    }
}

/// Status and error replies end at the first line break on the wire, so that none may be inside.
fn one_line(text: &[u8]) -> Bytes {
    text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }).collect()
}

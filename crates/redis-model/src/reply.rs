//! What a command answers.

use bytes::Bytes;

/// A reply in the terms of RESP3, which a client of RESP2 gets in older words.
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
    /// No array; RESP3 does not tell it from no value.
    NullArray,
    /// Names and what belongs to them; an array in RESP2, names and values by turns.
    Map(Vec<(Self, Self)>),
    /// Replies in no order; an array in RESP2.
    Set(Vec<Self>),
    /// A number with a fraction, as its digits; bulk in RESP2.
    Double(Bytes),
    /// A truth; 1 or 0 in RESP2.
    Boolean(bool),
    /// An integer of any size, as its digits; bulk in RESP2.
    BigNumber(Bytes),
    /// Text for people, and the three letters of its format; bulk in RESP2.
    Verbatim([u8; 3], Bytes),
    /// What the client has not asked for, such as a message; an array in RESP2.
    Push(Vec<Self>),
}

/// Which version of the protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// What every client speaks at first.
    #[default]
    Resp2,
    /// What `HELLO 3` asks for.
    Resp3,
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

    /// A count.
    pub(crate) fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Bulks in order.
    pub(crate) fn bulks<'a>(texts: impl IntoIterator<Item = &'a Bytes>) -> Self {
        Self::Array(texts.into_iter().cloned().map(Self::Bulk).collect())
    }

    /// A text that fits into one line.
    pub(crate) fn one_line(text: &[u8]) -> Bytes {
        one_line(text)
    }

    /// How long the text of a simple reply is.
    pub(crate) const fn text_len(&self) -> usize {
        match self {
            Self::Status(text) | Self::Error(text) | Self::Bulk(text) => text.len(),
            _ => 0,
        }
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
    pub(crate) const WRONG_TYPE: Self =
        Self::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub(crate) const NOT_AN_INTEGER: Self =
        Self::fixed("ERR value is not an integer or out of range");

    pub(crate) const fn fixed(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The same as the reason why a transaction is over.
    pub(crate) fn abort(&self) -> Self {
        let reason = self.0.strip_prefix(b"ERR ").unwrap_or(&self.0);
        Self::new([b"EXECABORT Transaction discarded because of: ", reason].concat())
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

//! The Redis protocol: parsers that take bytes as they come, and the encoder.
//!
//! Both parsers grow only as bytes arrive, never by what a length announces, and stop at limits.

mod encode;
mod inline;
mod replies;
mod request;

use std::fmt;

use bytes::{Buf as _, BytesMut};

pub use encode::{encode_reply, encode_request};
pub use replies::ReplyParser;
pub use request::RequestParser;

/// Longest bulk, as in Redis: 512 MiB.
pub const BULK_BYTES_MAX: usize = 512 << 20;
/// Most words of a request, and most elements of an array in a reply.
pub const MULTIBULK_COUNT_MAX: usize = 1 << 20;
/// Longest line, an inline request included.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Longest request in all, as Redis' `client-query-buffer-limit`: 1 GiB.
pub const REQUEST_BYTES_MAX: usize = 1 << 30;

/// The bytes are not the protocol. The stream cannot be trusted afterwards: close it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtocolError(String);

impl ProtocolError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As a server says it before it closes the connection.
    #[must_use]
    pub fn reply(&self) -> crate::Reply {
        crate::Reply::error(format!("ERR {self}"))
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Protocol error: {}", self.0)
    }
}

impl std::error::Error for ProtocolError {}

/// Takes a line from the front of `input`, without its end; like Redis, trusts that LF follows CR.
/// `searched` remembers how far earlier calls have looked.
fn take_line(input: &mut BytesMut, searched: &mut usize) -> Option<BytesMut> {
    let Some(found) = input[*searched..].iter().position(|&byte| byte == b'\r') else {
        *searched = input.len();
        return None;
    };
    let end = *searched + found;
    *searched = end;
    if input.len() < end + 2 {
        return None;
    }
    *searched = 0;
    let line = input.split_to(end);
    input.advance(2);
    Some(line)
}

//! What a server sends.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{BULK_BYTES_MAX, LINE_BYTES_MAX, MULTIBULK_COUNT_MAX, ProtocolError, take_line};
use crate::number::parse_integer;
use crate::reply::Reply;

/// Arrays inside arrays; a script's reply has no more.
const DEPTH_MAX: usize = 160;

/// Parses replies of RESP2.
#[derive(Debug, Default)]
pub struct ReplyParser {
    searched: usize,
    bulk_len: Option<usize>,
    /// Arrays under way, the outermost first.
    open: Vec<OpenArray>,
}

#[derive(Debug)]
struct OpenArray {
    replies: Vec<Reply>,
    len: usize,
}

impl ReplyParser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next whole reply from the front of `input`; `None` asks for more bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are not the protocol. The parser is then of no more use.
    pub fn next_reply(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, ProtocolError> {
        loop {
            let Some(element) = self.next_element(input)? else { return Ok(None) };
            let complete = match element {
                Element::Array(0) => self.close(Reply::Array(Vec::new())),
                Element::Array(len) if self.open.len() < DEPTH_MAX => {
                    self.open.push(OpenArray { replies: Vec::new(), len });
                    None
                }
                Element::Array(_) => return Err(ProtocolError::new("too deep array")),
                Element::Whole(reply) => self.close(reply),
            };
            if complete.is_some() {
                return Ok(complete);
            }
        }
    }

    /// Puts a whole reply into the array that waits for it, and that one, when full, into the next.
    fn close(&mut self, reply: Reply) -> Option<Reply> {
        let mut reply = reply;
        while let Some(mut array) = self.open.pop() {
            array.replies.push(reply);
            if array.replies.len() < array.len {
                self.open.push(array);
                return None;
            }
            reply = Reply::Array(array.replies);
        }
        Some(reply)
    }

    fn next_element(&mut self, input: &mut BytesMut) -> Result<Option<Element>, ProtocolError> {
        if let Some(len) = self.bulk_len {
            return Ok(self.take_bulk(input, len));
        }
        let Some(line) = take_line(input, &mut self.searched) else {
            return if input.len() > LINE_BYTES_MAX {
                Err(ProtocolError::new("too big line"))
            } else {
                Ok(None)
            };
        };
        let Some((&kind, text)) = line.split_first() else {
            return Err(ProtocolError::new("empty line"));
        };
        let whole = match kind {
            b'+' => Reply::Status(Bytes::copy_from_slice(text)),
            b'-' => Reply::Error(Bytes::copy_from_slice(text)),
            b':' => Reply::Integer(
                parse_integer(text).ok_or_else(|| ProtocolError::new("invalid integer"))?,
            ),
            b'$' => match length(text, BULK_BYTES_MAX, "invalid bulk length")? {
                None => Reply::NullBulk,
                Some(len) => {
                    self.bulk_len = Some(len);
                    return Ok(self.take_bulk(input, len));
                }
            },
            b'*' => match length(text, MULTIBULK_COUNT_MAX, "invalid multibulk length")? {
                None => Reply::NullArray,
                Some(len) => return Ok(Some(Element::Array(len))),
            },
            _ => return Err(ProtocolError::new("unknown kind of reply")),
        };
        Ok(Some(Element::Whole(whole)))
    }

    fn take_bulk(&mut self, input: &mut BytesMut, len: usize) -> Option<Element> {
        if input.len() < len + 2 {
            return None;
        }
        let text = Bytes::copy_from_slice(&input[..len]);
        input.advance(len + 2);
        self.bulk_len = None;
        Some(Element::Whole(Reply::Bulk(text)))
    }
}

#[derive(Debug)]
enum Element {
    Whole(Reply),
    Array(usize),
}

/// -1 means null; anything else below 0 or above `max` is refused.
fn length(text: &[u8], max: usize, refusal: &str) -> Result<Option<usize>, ProtocolError> {
    match parse_integer(text) {
        Some(-1) => Ok(None),
        Some(len) => match usize::try_from(len) {
            Ok(len) if len <= max => Ok(Some(len)),
            _ => Err(ProtocolError::new(refusal)),
        },
        None => Err(ProtocolError::new(refusal)),
    }
}

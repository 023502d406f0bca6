//! What a client sends.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{
    BULK_BYTES_MAX, LINE_BYTES_MAX, MULTIBULK_COUNT_MAX, ProtocolError, REQUEST_BYTES_MAX, inline,
    take_line,
};
use crate::number::parse_integer;

/// Bulks from this size on keep the buffer that they arrived in; smaller ones are copied out, so
/// that a short value does not hold a whole buffer.
const OWN_BUFFER_BYTES_MIN: usize = 32 << 10;

/// Parses requests: arrays of bulks, and inline ones for people with telnet.
///
/// Words own their bytes, as [`Server::execute`](crate::Server::execute) asks.
#[derive(Debug, Default)]
pub struct RequestParser {
    searched: usize,
    words: Vec<Bytes>,
    words_missing: usize,
    bytes_taken: usize,
    bulk_len: Option<usize>,
}

impl RequestParser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next whole request from the front of `input`; `None` asks for more bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are not the protocol, worded as Redis does. The parser is then of no more
    /// use.
    pub fn next_request(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        while self.words_missing == 0 {
            match input.first() {
                None => return Ok(None),
                Some(b'*') => {
                    if !self.begin_multibulk(input)? {
                        return Ok(None);
                    }
                }
                Some(_) => match self.take_inline(input)? {
                    Some(words) if words.is_empty() => {}
                    taken => return Ok(taken),
                },
            }
        }
        while self.words_missing > 0 {
            if !self.take_bulk(input)? {
                return Ok(None);
            }
        }
        self.bytes_taken = 0;
        Ok(Some(std::mem::take(&mut self.words)))
    }

    /// Reads `*count`; an empty request is skipped, as in Redis.
    fn begin_multibulk(&mut self, input: &mut BytesMut) -> Result<bool, ProtocolError> {
        let Some(line) = self.line(input, "too big mbulk count string")? else { return Ok(false) };
        let refusal = || ProtocolError::new("invalid multibulk length");
        let count = parse_integer(&line[1..]).ok_or_else(refusal)?.max(0);
        self.words_missing = usize::try_from(count).map_err(|_| refusal())?;
        if self.words_missing > MULTIBULK_COUNT_MAX { Err(refusal()) } else { Ok(true) }
    }

    fn take_bulk(&mut self, input: &mut BytesMut) -> Result<bool, ProtocolError> {
        let len = match self.bulk_len {
            Some(len) => len,
            None => match self.begin_bulk(input)? {
                Some(len) => len,
                None => return Ok(false),
            },
        };
        if input.len() < len + 2 {
            return Ok(false);
        }
        let word = if len >= OWN_BUFFER_BYTES_MIN {
            input.split_to(len).freeze()
        } else {
            let word = Bytes::copy_from_slice(&input[..len]);
            input.advance(len);
            word
        };
        input.advance(2);
        self.words.push(word);
        self.words_missing -= 1;
        self.bulk_len = None;
        Ok(true)
    }

    /// Reads `$length`.
    fn begin_bulk(&mut self, input: &mut BytesMut) -> Result<Option<usize>, ProtocolError> {
        let Some(line) = self.line(input, "too big bulk count string")? else { return Ok(None) };
        let digits = match line.split_first() {
            Some((b'$', digits)) => digits,
            other => {
                let found = char::from(other.map_or(b'\r', |(&byte, _)| byte));
                return Err(ProtocolError::new(format!("expected '$', got '{found}'")));
            }
        };
        let len = parse_integer(digits)
            .and_then(|len| usize::try_from(len).ok())
            .filter(|&len| len <= BULK_BYTES_MAX)
            .ok_or_else(|| ProtocolError::new("invalid bulk length"))?;
        self.bytes_taken += len;
        if self.bytes_taken > REQUEST_BYTES_MAX {
            return Err(ProtocolError::new("too big request"));
        }
        self.bulk_len = Some(len);
        Ok(Some(len))
    }

    fn take_inline(&mut self, input: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(found) = input[self.searched..].iter().position(|&byte| byte == b'\n') else {
            self.searched = input.len();
            return if input.len() > LINE_BYTES_MAX {
                Err(ProtocolError::new("too big inline request"))
            } else {
                Ok(None)
            };
        };
        let line = input.split_to(self.searched + found);
        input.advance(1);
        self.searched = 0;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let words = inline::split(line);
        words.map(Some).ok_or_else(|| ProtocolError::new("unbalanced quotes in request"))
    }

    fn line(
        &mut self,
        input: &mut BytesMut,
        too_big: &'static str,
    ) -> Result<Option<BytesMut>, ProtocolError> {
        match take_line(input, &mut self.searched) {
            None if input.len() > LINE_BYTES_MAX => Err(ProtocolError::new(too_big)),
            line => Ok(line),
        }
    }
}

//! What a server sends.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{BULK_BYTES_MAX, LINE_BYTES_MAX, MULTIBULK_COUNT_MAX, ProtocolError, take_line};
use crate::number::parse_integer;
use crate::reply::Reply;

/// Arrays inside arrays; a script's reply has no more.
const DEPTH_MAX: usize = 160;

/// Parses replies of RESP2 and RESP3.
#[derive(Debug, Default)]
pub struct ReplyParser {
    searched: usize,
    bulk: Option<(Text, usize)>,
    /// Collections under way, the outermost first.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    kind: Collection,
    replies: Vec<Reply>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
enum Collection {
    Array,
    Set,
    Map,
    Push,
}

/// What a length announces.
#[derive(Debug, Clone, Copy)]
enum Text {
    Bulk,
    Verbatim,
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
                Element::Begin(kind, 0) => self.close(kind.finish(Vec::new())),
                Element::Begin(kind, len) if self.open.len() < DEPTH_MAX => {
                    self.open.push(Open { kind, replies: Vec::new(), len });
                    None
                }
                Element::Begin(..) => return Err(ProtocolError::new("too deep array")),
                Element::Whole(reply) => self.close(reply),
            };
            if complete.is_some() {
                return Ok(complete);
            }
        }
    }

    /// Puts a whole reply into the collection that waits for it, and that one, when full, into the
    /// next.
    fn close(&mut self, reply: Reply) -> Option<Reply> {
        let mut reply = reply;
        while let Some(mut open) = self.open.pop() {
            open.replies.push(reply);
            if open.replies.len() < open.len {
                self.open.push(open);
                return None;
            }
            reply = open.kind.finish(open.replies);
        }
        Some(reply)
    }

    fn next_element(&mut self, input: &mut BytesMut) -> Result<Option<Element>, ProtocolError> {
        if let Some((kind, len)) = self.bulk {
            return self.take_bulk(input, kind, len);
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
        let own = || Bytes::copy_from_slice(text);
        let whole = match (kind, text) {
            (b'+', _) => Reply::Status(own()),
            (b'-', _) => Reply::Error(own()),
            (b':', _) => Reply::Integer(
                parse_integer(text).ok_or_else(|| ProtocolError::new("invalid integer"))?,
            ),
            (b',', _) => Reply::Double(own()),
            (b'(', _) => Reply::BigNumber(own()),
            (b'_', b"") => Reply::NullBulk,
            (b'#', b"t") => Reply::Boolean(true),
            (b'#', b"f") => Reply::Boolean(false),
            (b'$' | b'=', _) => match length(text, BULK_BYTES_MAX, "invalid bulk length")? {
                None => Reply::NullBulk,
                Some(len) => {
                    let text = if kind == b'$' { Text::Bulk } else { Text::Verbatim };
                    self.bulk = Some((text, len));
                    return self.take_bulk(input, text, len);
                }
            },
            (b'*' | b'~' | b'>' | b'%', _) => {
                match length(text, MULTIBULK_COUNT_MAX, "invalid multibulk length")? {
                    None => Reply::NullArray,
                    Some(len) => return Ok(Some(Element::begin(kind, len))),
                }
            }
            _ => return Err(ProtocolError::new("unknown kind of reply")),
        };
        Ok(Some(Element::Whole(whole)))
    }

    fn take_bulk(
        &mut self,
        input: &mut BytesMut,
        kind: Text,
        len: usize,
    ) -> Result<Option<Element>, ProtocolError> {
        if input.len() < len + 2 {
            return Ok(None);
        }
        let text = Bytes::copy_from_slice(&input[..len]);
        input.advance(len + 2);
        self.bulk = None;
        let reply = match (kind, &text[..]) {
            (Text::Bulk, _) => Reply::Bulk(text),
            (Text::Verbatim, [a, b, c, b':', ..]) => Reply::Verbatim([*a, *b, *c], text.slice(4..)),
            (Text::Verbatim, _) => return Err(ProtocolError::new("invalid verbatim text")),
        };
        Ok(Some(Element::Whole(reply)))
    }
}

#[derive(Debug)]
enum Element {
    Whole(Reply),
    Begin(Collection, usize),
}

impl Element {
    /// A map announces its pairs, each of which is two replies.
    const fn begin(kind: u8, len: usize) -> Self {
        match kind {
            b'~' => Self::Begin(Collection::Set, len),
            b'>' => Self::Begin(Collection::Push, len),
            b'%' => Self::Begin(Collection::Map, 2 * len),
            _ => Self::Begin(Collection::Array, len),
        }
    }
}

impl Collection {
    fn finish(self, replies: Vec<Reply>) -> Reply {
        match self {
            Self::Array => Reply::Array(replies),
            Self::Set => Reply::Set(replies),
            Self::Push => Reply::Push(replies),
            Self::Map => {
                let mut replies = replies.into_iter();
                let pairs = std::iter::from_fn(|| Some((replies.next()?, replies.next()?)));
                Reply::Map(pairs.collect())
            }
        }
    }
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

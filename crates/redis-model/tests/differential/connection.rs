//! One client of both servers.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use lockproof_redis_model::resp::{ReplyParser, encode_reply, encode_request};
use lockproof_redis_model::{Protocol, Reply, Session};

use crate::compare::Shape;

/// What the real server must send next, and how it may differ.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) what: String,
    pub(crate) reply: Reply,
    pub(crate) shape: Shape,
}

pub(crate) struct Connection {
    pub(crate) session: Session,
    stream: TcpStream,
    parser: ReplyParser,
    input: BytesMut,
    output: BytesMut,
    expected: Vec<Expected>,
    groups: VecDeque<Vec<Expected>>,
    /// The commands that wait for EXEC.
    pub(crate) queued: Vec<Shape>,
    pub(crate) in_transaction: bool,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, session: Session) -> Self {
        let stream = TcpStream::connect(address).expect("the real server listens");
        stream.set_nodelay(true).expect("a TCP stream");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a TCP stream");
        Self {
            session,
            stream,
            parser: ReplyParser::new(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            expected: Vec::new(),
            groups: VecDeque::new(),
            queued: Vec::new(),
            in_transaction: false,
        }
    }

    /// Will be sent with the next [`flush`](Self::flush).
    pub(crate) fn send(&mut self, words: &[impl AsRef<[u8]>]) {
        encode_request(words, &mut self.output);
    }

    pub(crate) fn flush(&mut self) {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).expect("the real server reads");
            self.output.clear();
        }
    }

    /// The reply as this connection's client gets it: through the encoder and the parser.
    pub(crate) fn expect(&mut self, what: String, reply: &Reply, shape: Shape) {
        let reply = as_read(reply, self.session.protocol());
        self.expected.push(Expected { what, reply, shape });
    }

    /// Compares all that is expected with what has come.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.end_group();
        while let Some(group) = self.groups.pop_front() {
            self.settle_group(group)?;
        }
        if self.input.is_empty() {
            Ok(())
        } else {
            Err(format!("redis sent more than the model: {:?}", self.input))
        }
    }

    /// What is expected so far and not grouped yet comes from one command. Of these, redis sends
    /// some pushes before the reply and some after it: with RESP3, which tells them apart, the
    /// order between pushes and the reply is not compared.
    pub(crate) fn end_group(&mut self) {
        if !self.expected.is_empty() {
            self.groups.push_back(std::mem::take(&mut self.expected));
        }
    }

    fn settle_group(&mut self, group: Vec<Expected>) -> Result<(), String> {
        let mut real = Vec::new();
        for Expected { what, reply, .. } in &group {
            real.push(self.read().map_err(|error| {
                format!("{what}: the model answered {reply:?}, redis nothing: {error}")
            })?);
        }
        if group.len() > 1 && group.iter().any(|expected| matches!(expected.shape, Shape::Exec(_)))
        {
            real = mended(real);
        }
        real.sort_by_key(|reply| !matches!(reply, Reply::Push(_)));
        for (Expected { what, reply, shape }, real) in group.into_iter().zip(real) {
            if !shape.agree(&reply, &real) {
                return Err(format!("{what}\n  model {reply:?}\n  redis {real:?}"));
            }
        }
        Ok(())
    }

    pub(crate) fn read(&mut self) -> Result<Reply, String> {
        loop {
            match self.parser.next_reply(&mut self.input) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) => return Err(error.to_string()),
            }
            let mut chunk = [0; 16 << 10];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err("closed".to_owned()),
                Ok(len) => self.input.extend_from_slice(&chunk[..len]),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// A reply as a client reads it: through the encoder and the parser.
pub(crate) fn as_read(reply: &Reply, protocol: Protocol) -> Reply {
    let mut wire = BytesMut::new();
    encode_reply(reply, protocol, &mut wire);
    let reply = ReplyParser::new().next_reply(&mut wire);
    reply.expect("the model speaks the protocol").expect("and finishes")
}

/// Redis 7.0 writes a push that comes during EXEC into the middle of EXEC's array, where it stands in
/// for an element; as many elements follow after the array's end. Puts them where they belong.
fn mended(replies: Vec<Reply>) -> Vec<Reply> {
    let (mut pushes, mut elements, mut is_whole) = (Vec::new(), Vec::new(), true);
    for reply in replies {
        match reply {
            Reply::Push(_) => pushes.push(reply),
            Reply::Array(inside) if std::mem::take(&mut is_whole) => {
                let (strays, own): (Vec<_>, Vec<_>) =
                    inside.into_iter().partition(|reply| matches!(reply, Reply::Push(_)));
                pushes.extend(strays);
                elements.extend(own);
            }
            other => elements.push(other),
        }
    }
    pushes.push(Reply::Array(elements));
    pushes
}

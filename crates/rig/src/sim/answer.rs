//! How a server's reply goes back to whoever asked.

use std::rc::Rc;

use bytes::BytesMut;
use lockproof_redis_model::resp::encode_reply;
use lockproof_redis_model::{Protocol, Reply, Session};
use lockproof_sim::once;

use super::exchange::Exchange;
use super::network::{Network, Wire};
use super::socket::Socket;
use crate::Direction;

/// Who asked.
#[derive(Clone)]
pub(super) enum Asker {
    /// One request, which waits for its reply.
    Exchange(Rc<Exchange>),
    /// A stream of requests, answered by a stream of bytes.
    Socket(Rc<Socket>),
}

impl Asker {
    pub(super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Socket(_))
    }
}

/// What a server says over one connection.
pub(super) struct Answer {
    wire: Rc<Wire>,
    said: Said,
}

enum Said {
    Reply(Rc<Exchange>, Reply),
    Bytes {
        socket: Rc<Socket>,
        bytes: BytesMut,
        /// Whether the server closes the connection then.
        closes: bool,
    },
}

impl Answer {
    pub(super) fn new(wire: &Rc<Wire>, asker: Asker, reply: Reply) -> Self {
        let said = match asker {
            Asker::Exchange(exchange) => Said::Reply(exchange, reply),
            Asker::Socket(socket) => {
                let mut bytes = BytesMut::new();
                encode_reply(&reply, Protocol::Resp2, &mut bytes);
                Said::Bytes { socket, bytes, closes: false }
            }
        };
        Self { wire: Rc::clone(wire), said }
    }

    /// The last thing that is said over this connection.
    pub(super) fn and_close(mut self) -> Self {
        if let Said::Bytes { closes, .. } = &mut self.said {
            *closes = true;
        }
        self
    }

    pub(super) fn send(self, network: &Network) {
        let Self { wire, said } = self;
        match said {
            Said::Reply(exchange, reply) => {
                exchange.reply(reply);
                network.send(&wire, Direction::ToClient, exchange);
            }
            Said::Bytes { socket, bytes, closes } => {
                let arrival = move || socket.arrived(&bytes, closes);
                network.send(&wire, Direction::ToClient, once(arrival));
            }
        }
    }
}

/// What a server has to say once it has worked through what arrived: one answer, nearly always.
#[derive(Default)]
pub(super) struct Answers {
    /// The last of them.
    last: Option<Answer>,
    before: Vec<Answer>,
}

impl Answers {
    /// Adds what `session` is told: a reply, or only what was pushed to it.
    pub(super) fn add(
        &mut self,
        wire: &Rc<Wire>,
        asker: &Asker,
        session: &mut Session,
        reply: Option<Reply>,
    ) {
        let socket = match asker {
            Asker::Exchange(exchange) => {
                let said = Said::Reply(Rc::clone(exchange), reply.unwrap_or(Reply::NullBulk));
                self.push(Answer { wire: Rc::clone(wire), said });
                return;
            }
            Asker::Socket(socket) => socket,
        };
        let protocol = session.protocol();
        let mut encode = |bytes: &mut BytesMut| {
            for push in session.take_pushes() {
                encode_reply(&push, protocol, bytes);
            }
            if let Some(reply) = &reply {
                encode_reply(reply, protocol, bytes);
            }
        };
        // Requests that came together are answered together, as by a server that writes once for all that it has read.
        if let Some(Answer { wire: last, said: Said::Bytes { bytes, .. } }) = &mut self.last
            && last.id == wire.id
        {
            encode(bytes);
            return;
        }
        let mut bytes = BytesMut::new();
        encode(&mut bytes);
        let said = Said::Bytes { socket: Rc::clone(socket), bytes, closes: false };
        self.push(Answer { wire: Rc::clone(wire), said });
    }

    fn push(&mut self, answer: Answer) {
        self.before.extend(self.last.replace(answer));
    }

    /// What was added last is the last that its connection is told.
    pub(super) fn close(&mut self) {
        self.last = self.last.take().map(Answer::and_close);
    }

    pub(super) fn send(self, network: &Network) {
        self.before.into_iter().chain(self.last).for_each(|answer| answer.send(network));
    }
}

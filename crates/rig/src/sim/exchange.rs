//! A request to a Redis server and its reply.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use lockproof_redis_model::Reply;
use lockproof_sim::{Event, Shared};

use super::network::Wire;
use super::redis_server::ModelRedis;
use super::ticket::{Answerable, Ticket, Waits};

/// The two, one after the other on their way.
pub(super) struct Exchange {
    model: Rc<ModelRedis>,
    wire: Rc<Wire>,
    request: Cell<Option<Request>>,
    reply: Cell<Option<Reply>>,
    ticket: Ticket<Reply>,
}

/// What is asked for.
pub(super) enum Request {
    /// A connection.
    Connect,
    Command(Vec<Bytes>),
}

impl Exchange {
    pub(super) fn new(
        model: &Shared<ModelRedis>,
        wire: &Shared<Wire>,
        request: Request,
    ) -> Shared<Self> {
        let wire = wire.as_rc();
        let exchange = Shared::new(Self {
            model: Rc::clone(model.as_rc()),
            wire: Rc::clone(wire),
            request: Cell::new(Some(request)),
            reply: Cell::new(None),
            ticket: Ticket::new(),
        });
        wire.wait(Rc::downgrade(exchange.as_rc()) as _);
        exchange
    }

    /// What will arrive next.
    pub(super) fn reply(&self, reply: Reply) {
        self.reply.set(Some(reply));
    }
}

impl Event for Exchange {
    fn happen(self: Rc<Self>) {
        let (model, wire) = (Rc::clone(&self.model), Rc::clone(&self.wire));
        match self.request.take() {
            Some(Request::Connect) => model.welcome(&wire, self),
            Some(Request::Command(command)) => model.receive(&wire, command, self),
            None => {
                if let Some(reply) = self.reply.take() {
                    wire.done(&*self);
                    self.ticket.answer(reply);
                }
            }
        }
    }
}

impl Waits for Exchange {
    fn broken(&self) {
        self.ticket.broken();
    }
}

impl Answerable for Exchange {
    type Answer = Reply;

    fn ticket(&self) -> &Ticket<Reply> {
        &self.ticket
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

//! The holders' way to the model database.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{Layout, ModelStore, NoAnswer, Reply, Wire as Way, WireSession};
use lockproof_database_model::{
    Answer, Database, Executed, Layout as Tables, PredicateLocks, SessionId, SqlError, Statement,
};
use lockproof_model::HolderId;
use lockproof_sim::Shared;

use super::network::{Network, Wire};
use super::ticket::{Broken, Ticket, answered};
use crate::{Direction, Link};

/// What came of a statement.
type Outcome = Result<Answer, SqlError>;

/// Who waits for an answer, and over which connection it goes back.
type Client = (Rc<Wire>, Rc<Ticket<Outcome>>);

/// Statements as messages over the network to one database.
#[derive(Clone, Debug)]
pub(super) struct SimWire {
    network: Shared<Network>,
    desk: Shared<RefCell<Desk>>,
}

#[derive(Debug)]
struct Desk {
    database: Database,
    /// In the order of the statements.
    waiting: BTreeMap<SessionId, VecDeque<Client>>,
}

impl SimWire {
    /// A store whose tables are reached over `network`.
    pub(super) fn store(network: &Shared<Network>, layout: &Layout) -> ModelStore<Self> {
        let database = Database::new(Tables {
            slots: layout.slots,
            capacity: layout.capacity,
            unique_unit: layout.constraints.unique_unit,
            predicate_locks: PredicateLocks::Exact,
        });
        let desk = Shared::new(RefCell::new(Desk { database, waiting: BTreeMap::new() }));
        ModelStore::new(Arc::new(Self { network: network.clone(), desk }))
    }

    /// A statement arrives.
    fn receive(
        &self,
        wire: Rc<Wire>,
        session: SessionId,
        statement: Statement,
        ticket: Rc<Ticket<Outcome>>,
    ) {
        let mut desk = self.desk();
        match desk.database.execute(session, statement) {
            Executed::Done(outcome) => {
                let woken = desk.woken();
                drop(desk);
                self.reply(&wire, &ticket, outcome);
                self.deliver(woken);
            }
            Executed::Blocked => {
                desk.waiting.entry(session).or_default().push_back((wire, ticket));
                let woken = desk.woken();
                drop(desk);
                self.deliver(woken);
            }
        }
    }

    fn deliver(&self, woken: Vec<(Client, Outcome)>) {
        for ((wire, ticket), outcome) in woken {
            self.reply(&wire, &ticket, outcome);
        }
    }

    fn reply<T: 'static>(&self, wire: &Rc<Wire>, ticket: &Rc<Ticket<T>>, answer: T) {
        let (back, ticket) = (Rc::clone(wire), Rc::clone(ticket));
        let arrival = move || {
            back.done(&ticket);
            ticket.answer(answer);
        };
        self.network.send(wire, Direction::ToClient, Box::new(arrival));
    }

    /// The client is gone; the server finds out when the end of the connection arrives.
    fn hang_up(&self, session: SessionId) {
        let mut desk = self.desk();
        desk.database.disconnect(session);
        let woken = desk.woken();
        drop(desk);
        self.deliver(woken);
    }

    fn desk(&self) -> RefMut<'_, Desk> {
        self.desk.borrow_mut()
    }
}

impl Desk {
    /// Those whose statements have come to an end since this was asked last.
    fn woken(&mut self) -> Vec<(Client, Outcome)> {
        let Self { database, waiting } = self;
        if waiting.is_empty() {
            return Vec::new();
        }
        let woken = database.take_woken().into_iter();
        let woken = woken.filter_map(|(session, outcome)| {
            Some((waiting.get_mut(&session)?.pop_front()?, outcome))
        });
        let woken = woken.collect();
        waiting.retain(|_, line| !line.is_empty());
        woken
    }
}

impl Way for SimWire {
    type Session = SimSession;

    fn connect(&self, holder: HolderId) -> BoxFuture<'_, Result<SimSession, NoAnswer>> {
        async move {
            let wire = self.network.open(Link::Database, holder);
            let ticket = Ticket::new();
            wire.wait(Rc::clone(ticket.as_rc()) as _);
            let (there, syn, answer) = (self.clone(), wire.clone(), ticket.clone());
            let arrival = move || {
                let session = there.desk().database.connect();
                // Whoever gave up meanwhile is hung up on, or the session would stay for ever.
                let opened = SimSession { way: there.clone(), wire: syn.clone(), session };
                there.reply(syn.as_rc(), answer.as_rc(), opened);
            };
            self.network.send(wire.as_rc(), Direction::ToServer, Box::new(arrival));
            answered(ticket).await.map_err(|Broken| NoAnswer)
        }
        .boxed()
    }

    fn administer(&self, visit: &mut dyn FnMut(&mut Database)) {
        let mut desk = self.desk();
        visit(&mut desk.database);
        let woken = desk.woken();
        drop(desk);
        self.deliver(woken);
    }
}

/// One holder's connection.
#[derive(Debug)]
pub(super) struct SimSession {
    way: SimWire,
    wire: Shared<Wire>,
    session: SessionId,
}

impl WireSession for SimSession {
    fn send(&mut self, statement: Statement) -> BoxFuture<'static, Reply> {
        if self.wire.is_closed() {
            return std::future::ready(Err(NoAnswer)).boxed();
        }
        let ticket = Ticket::new();
        self.wire.wait(Rc::clone(ticket.as_rc()) as _);
        let (way, wire, session) = (self.way.clone(), Rc::clone(self.wire.as_rc()), self.session);
        let answer = Rc::clone(ticket.as_rc());
        let arrival = move || way.receive(wire, session, statement, answer);
        self.way.network.send(self.wire.as_rc(), Direction::ToServer, Box::new(arrival));
        async move { answered(ticket).await.map_err(|Broken| NoAnswer) }.boxed()
    }

    fn is_closed(&self) -> bool {
        self.wire.is_closed()
    }
}

impl Drop for SimSession {
    fn drop(&mut self) {
        let (way, session) = (self.way.clone(), self.session);
        let arrival = move || way.hang_up(session);
        // The end of a connection that is lost already is found out by the server all the same.
        self.way.network.send_end(self.wire.as_rc(), Box::new(arrival));
    }
}

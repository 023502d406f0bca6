//! The holders' way to the model database.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use lockproof_bookings::{Layout, ModelStore, NoAnswer, Reply, Wire as Way, WireSession};
use lockproof_database_model::{
    Answer, Database, Executed, Layout as Tables, PredicateLocks, SessionId, SqlError, Statement,
};
use lockproof_model::HolderId;
use lockproof_sim::{Event, Shared, once};

use super::network::{Network, Wire};
use super::ticket::{Answerable, Answered, Broken, Ticket, Waits};
use crate::{Direction, Link, SpokenRequest};

/// What came of a statement.
type Outcome = Result<Answer, SqlError>;

/// Statements as messages over the network to one database.
#[derive(Clone, Debug)]
pub(super) struct SimWire(Shared<Server>);

#[derive(Debug)]
struct Server {
    network: Shared<Network>,
    desk: RefCell<Desk>,
}

#[derive(Debug)]
struct Desk {
    database: Database,
    /// In the order of the statements.
    waiting: BTreeMap<SessionId, VecDeque<Rc<Exchange>>>,
}

/// A statement and its answer, one after the other on their way.
#[derive(Debug)]
struct Exchange {
    server: Shared<Server>,
    wire: Shared<Wire>,
    session: SessionId,
    statement: Cell<Option<Statement>>,
    outcome: Cell<Option<Outcome>>,
    ticket: Ticket<Outcome>,
}

impl Event for Exchange {
    fn happen(self: Rc<Self>) {
        if let Some(statement) = self.statement.take() {
            let server = self.server.clone();
            server.receive(self, statement);
        } else if let Some(outcome) = self.outcome.take() {
            self.wire.done(&*self);
            self.ticket.answer(outcome);
        }
    }
}

impl Waits for Exchange {
    fn broken(&self) {
        self.ticket.broken();
    }
}

impl Answerable for Exchange {
    type Answer = Outcome;

    fn ticket(&self) -> &Ticket<Outcome> {
        &self.ticket
    }
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
        let desk = RefCell::new(Desk { database, waiting: BTreeMap::new() });
        ModelStore::new(Arc::new(Self(Shared::new(Server { network: network.clone(), desk }))))
    }
}

impl Server {
    /// A statement arrives.
    fn receive(&self, exchange: Rc<Exchange>, statement: Statement) {
        let mut desk = self.desk.borrow_mut();
        let executed = desk.database.execute(exchange.session, statement);
        match executed {
            Executed::Done(outcome) => {
                let woken = desk.woken();
                drop(desk);
                self.reply(exchange, outcome);
                self.deliver(woken);
            }
            Executed::Blocked => {
                desk.waiting.entry(exchange.session).or_default().push_back(exchange);
                let woken = desk.woken();
                drop(desk);
                self.deliver(woken);
            }
        }
    }

    fn deliver(&self, woken: Vec<(Rc<Exchange>, Outcome)>) {
        for (exchange, outcome) in woken {
            self.reply(exchange, outcome);
        }
    }

    fn reply(&self, exchange: Rc<Exchange>, outcome: Outcome) {
        exchange.outcome.set(Some(outcome));
        let wire = exchange.wire.clone();
        self.network.send(wire.as_rc(), Direction::ToClient, exchange);
    }

    /// The client is gone; the server finds out when the end of the connection arrives.
    fn hang_up(&self, session: SessionId) {
        let mut desk = self.desk.borrow_mut();
        desk.database.disconnect(session);
        let woken = desk.woken();
        drop(desk);
        self.deliver(woken);
    }
}

impl Desk {
    /// Those whose statements have come to an end since this was asked last.
    fn woken(&mut self) -> Vec<(Rc<Exchange>, Outcome)> {
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
        let Server { network, .. } = &*self.0;
        let wire = network.open(Link::Database, holder);
        let ticket = Shared::new(Ticket::new());
        wire.wait(Rc::downgrade(ticket.as_rc()) as _);
        let (server, syn, answer) = (self.0.clone(), wire.clone(), ticket.clone());
        let arrival = move || {
            let session = server.desk.borrow_mut().database.connect();
            // Whoever gave up meanwhile is hung up on, or the session would stay for ever.
            let opened = SimSession { server: server.clone(), wire: syn.clone(), session };
            let back = syn.clone();
            let welcome = move || {
                back.done(&*answer);
                answer.answer(opened);
            };
            server.network.send(syn.as_rc(), Direction::ToClient, once(welcome));
        };
        network.send(wire.as_rc(), Direction::ToServer, once(arrival));
        Answered(ticket).map_err(|Broken| NoAnswer).boxed()
    }

    fn administer(&self, visit: &mut dyn FnMut(&mut Database)) {
        let mut desk = self.0.desk.borrow_mut();
        visit(&mut desk.database);
        let woken = desk.woken();
        drop(desk);
        self.0.deliver(woken);
    }
}

/// One holder's connection.
#[derive(Debug)]
pub(super) struct SimSession {
    server: Shared<Server>,
    wire: Shared<Wire>,
    session: SessionId,
}

impl WireSession for SimSession {
    fn send(&mut self, statement: Statement) -> impl Future<Output = Reply> + Send + use<> {
        let Server { network, .. } = &*self.server;
        if network.has_rules() {
            let request = SpokenRequest::Postgres(verb(&statement));
            network.announce(&self.wire, self.wire.awaited(), request);
        }
        let exchange = Shared::new(Exchange {
            server: self.server.clone(),
            wire: self.wire.clone(),
            session: self.session,
            statement: Cell::new(Some(statement)),
            outcome: Cell::new(None),
            ticket: Ticket::new(),
        });
        let request = exchange.as_rc();
        if self.wire.is_closed() {
            request.broken();
        } else {
            self.wire.wait(Rc::downgrade(request) as _);
            let request = Rc::clone(request);
            self.server.network.send(self.wire.as_rc(), Direction::ToServer, request);
        }
        Answered(exchange).map_err(|Broken| NoAnswer)
    }

    fn is_closed(&self) -> bool {
        self.wire.is_closed()
    }
}

impl Drop for SimSession {
    fn drop(&mut self) {
        let (server, session) = (self.server.clone(), self.session);
        let arrival = once(move || server.hang_up(session));
        // The end of a connection that is lost already is found out by the server all the same.
        self.server.network.send_end(self.wire.as_rc(), arrival);
    }
}

/// What the statement begins with, as a rule names it.
const fn verb(statement: &Statement) -> &'static str {
    match statement {
        Statement::Begin(_) => "BEGIN",
        Statement::ReadSlot { .. }
        | Statement::CountConfirmed { .. }
        | Statement::AdvisoryLock { .. }
        | Statement::TryAdvisoryLock { .. }
        | Statement::AdvisoryUnlock { .. }
        | Statement::AdvisoryUnlockAll => "SELECT",
        Statement::RaiseFence { .. }
        | Statement::BumpVersion { .. }
        | Statement::SetVersion { .. }
        | Statement::AddVersion { .. } => "UPDATE",
        Statement::Insert(_) => "INSERT",
        Statement::Delete { .. } => "DELETE",
        Statement::Commit => "COMMIT",
        Statement::Rollback => "ROLLBACK",
    }
}

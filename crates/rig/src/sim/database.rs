//! The holders' way to the model database.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use lockproof_bookings::{Layout, NoAnswer, Reply, Wire as Way, WireSession};
use lockproof_database_model::{
    Answer, Database, Executed, Layout as Tables, LeaseStatement, PredicateLocks, SessionId,
    SqlError, Statement,
};
use lockproof_model::{HolderId, LeaseChange};
use lockproof_sim::{Event, Shared, once};

use super::database_faults::Standing;
use super::limits::Limited;
use super::network::{Network, Wire};
use super::ticket::{Answerable, Answered, Broken, Ticket, Waits};
use crate::{Direction, Link, SessionLimits, SpokenRequest};

/// What came of a statement.
type Outcome = Result<Answer, SqlError>;

/// Statements as messages over the network to one database.
#[derive(Clone, Debug)]
pub(super) struct SimWire(pub(super) Shared<Server>);

#[derive(Debug)]
pub(super) struct Server {
    pub(super) network: Shared<Network>,
    pub(super) desk: RefCell<Desk>,
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) database: Database,
    /// In the order of the statements.
    pub(super) waiting: BTreeMap<SessionId, VecDeque<Rc<Exchange>>>,
    /// The sessions that have not ended, with their holders.
    pub(super) open: Vec<(HolderId, SessionId, Shared<Wire>)>,
    /// Whether it stands up, and what waits for that.
    pub(super) standing: Standing,
    pub(super) limited: Limited,
}

/// A statement and its answer, one after the other on their way.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) server: Rc<Server>,
    wire: Rc<Wire>,
    pub(super) session: SessionId,
    statement: Cell<Option<Statement>>,
    outcome: Cell<Option<Outcome>>,
    ticket: Ticket<Outcome>,
}

impl Event for Exchange {
    fn happen(self: Rc<Self>) {
        if let Some(statement) = self.statement.take() {
            let server = Rc::clone(&self.server);
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
    /// The way to a database with such tables over `network`.
    pub(super) fn to(network: &Shared<Network>, layout: &Layout, limits: SessionLimits) -> Self {
        let database = Database::new(Tables {
            slots: layout.slots,
            capacity: layout.capacity,
            unique_unit: layout.constraints.unique_unit,
            exclude_overlap: layout.constraints.exclude_overlap,
            predicate_locks: PredicateLocks::Exact,
        });
        let desk = Desk {
            database,
            waiting: BTreeMap::new(),
            open: Vec::new(),
            standing: Standing::default(),
            limited: Limited::to(limits),
        };
        Self(Shared::new(Server { network: network.clone(), desk: RefCell::new(desk) }))
    }
}

impl Server {
    /// A statement arrives.
    fn receive(&self, exchange: Rc<Exchange>, statement: Statement) {
        let mut desk = self.desk.borrow_mut();
        if desk.standing.is_paused() {
            let again = move || Rc::clone(&exchange.server).receive(exchange, statement);
            return desk.standing.wait(Box::new(again));
        }
        desk.limited.goes_on(exchange.session);
        if let Statement::Lease(_) = statement {
            let now = self.network.now();
            desk.database.tell_time(now);
        }
        let executed = desk.database.execute(exchange.session, statement);
        match executed {
            Executed::Done(outcome) => {
                let woken = desk.woken();
                drop(desk);
                self.reply(exchange, outcome);
                self.deliver(woken);
            }
            Executed::Blocked => {
                desk.waits(&exchange);
                desk.waiting.entry(exchange.session).or_default().push_back(exchange);
                let woken = desk.woken();
                drop(desk);
                self.deliver(woken);
            }
        }
    }

    pub(super) fn deliver(&self, woken: Vec<(Rc<Exchange>, Outcome)>) {
        for (exchange, outcome) in woken {
            self.reply(exchange, outcome);
        }
    }

    fn reply(&self, exchange: Rc<Exchange>, outcome: Outcome) {
        self.desk.borrow_mut().answers(&exchange);
        exchange.outcome.set(Some(outcome));
        let wire = Rc::clone(&exchange.wire);
        self.network.send(&wire, Direction::ToClient, exchange);
    }

    /// Somebody connects.
    fn welcome(
        server: &Shared<Self>,
        holder: HolderId,
        wire: Shared<Wire>,
        ticket: Shared<Ticket<SimSession>>,
    ) {
        let mut desk = server.desk.borrow_mut();
        if desk.standing.is_down() {
            drop(desk);
            return server.network.break_off(wire.as_rc());
        }
        if desk.standing.is_paused() {
            let there = server.clone();
            let again = move || Self::welcome(&there, holder, wire, ticket);
            return desk.standing.wait(Box::new(again));
        }
        let session = desk.database.connect();
        desk.open.push((holder, session, wire.clone()));
        drop(desk);
        // Whoever gave up meanwhile is hung up on, or the session would stay for ever.
        let opened = SimSession { server: server.clone(), wire: wire.clone(), session };
        let back = wire.clone();
        let welcome = move || {
            back.done(&*ticket);
            ticket.answer(opened);
        };
        server.network.send(wire.as_rc(), Direction::ToClient, once(welcome));
    }

    /// The client is gone; the server finds out when the end of the connection arrives.
    fn hang_up(server: &Shared<Self>, session: SessionId) {
        let mut desk = server.desk.borrow_mut();
        if desk.standing.is_paused() {
            let there = server.clone();
            return desk.standing.wait(Box::new(move || Self::hang_up(&there, session)));
        }
        desk.limited.forget(session);
        desk.open.retain(|(_, open, _)| *open != session);
        desk.database.disconnect(session);
        let woken = desk.woken();
        drop(desk);
        server.deliver(woken);
    }
}

impl Desk {
    /// Those whose statements have come to an end since this was asked last.
    pub(super) fn woken(&mut self) -> Vec<(Rc<Exchange>, Outcome)> {
        let Self { database, waiting, .. } = self;
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
        let arrival = move || Server::welcome(&server, holder, syn, answer);
        network.send(wire.as_rc(), Direction::ToServer, once(arrival));
        Answered(ticket).map_err(|Broken| NoAnswer).boxed()
    }

    fn administer(&self, visit: &mut dyn FnMut(&mut Database)) {
        let mut desk = self.0.desk.borrow_mut();
        desk.database.tell_time(self.0.network.now());
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
        let (server, wire) = (self.server.as_rc(), self.wire.as_rc());
        if server.network.has_rules() {
            let request = SpokenRequest::Postgres(verb(&statement));
            server.network.announce(wire, wire.awaited(), request);
        }
        let exchange = Shared::new(Exchange {
            server: Rc::clone(server),
            wire: Rc::clone(wire),
            session: self.session,
            statement: Cell::new(Some(statement)),
            outcome: Cell::new(None),
            ticket: Ticket::new(),
        });
        let request = exchange.as_rc();
        if wire.is_closed() {
            request.broken();
        } else {
            wire.wait(Rc::downgrade(request) as _);
            server.network.send(wire, Direction::ToServer, Rc::clone(request) as _);
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
        let arrival = once(move || Server::hang_up(&server, session));
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
        | Statement::ReadSlotAndCount { .. }
        | Statement::LockConfirmed { .. }
        | Statement::FindBooking { .. }
        | Statement::AdvisoryLock { .. }
        | Statement::TryAdvisoryLock { .. }
        | Statement::AdvisoryUnlock { .. }
        | Statement::AdvisoryUnlockAll => "SELECT",
        Statement::RaiseFence { .. }
        | Statement::BumpVersion { .. }
        | Statement::SetVersion { .. }
        | Statement::AddVersion { .. }
        | Statement::Lease(LeaseStatement {
            change: LeaseChange::Renew { .. } | LeaseChange::End,
            ..
        }) => "UPDATE",
        Statement::Insert(_)
        | Statement::ReserveKey { .. }
        | Statement::Lease(LeaseStatement { change: LeaseChange::Take { .. }, .. }) => "INSERT",
        Statement::Delete { .. } => "DELETE",
        Statement::Commit => "COMMIT",
        Statement::Rollback => "ROLLBACK",
    }
}

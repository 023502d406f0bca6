//! The holders' way to the model database.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{Layout, ModelStore, NoAnswer, Reply, Wire as Way, WireSession};
use lockproof_database_model::{
    Answer, Database, Executed, Layout as Tables, PredicateLocks, SessionId, SqlError, Statement,
};
use lockproof_model::HolderId;

use super::network::{Network, Wire};
use super::ticket::{Broken, Ticket};
use crate::{Direction, Link};

/// What came of a statement.
type Outcome = Result<Answer, SqlError>;

/// Who waits for an answer, and over which connection it goes back.
type Client = (Arc<Wire>, Arc<Ticket<Outcome>>);

/// Statements as messages over the network to one database.
#[derive(Clone, Debug)]
pub(super) struct SimWire {
    network: Arc<Network>,
    desk: Arc<Mutex<Desk>>,
}

#[derive(Debug)]
struct Desk {
    database: Database,
    /// In the order of the statements.
    waiting: BTreeMap<SessionId, VecDeque<Client>>,
}

impl SimWire {
    /// A store whose tables are reached over `network`.
    pub(super) fn store(network: &Arc<Network>, layout: &Layout) -> ModelStore<Self> {
        let database = Database::new(Tables {
            slots: layout.slots,
            capacity: layout.capacity,
            unique_unit: layout.constraints.unique_unit,
            predicate_locks: PredicateLocks::Exact,
        });
        let desk = Arc::new(Mutex::new(Desk { database, waiting: BTreeMap::new() }));
        ModelStore::new(Arc::new(Self { network: Arc::clone(network), desk }))
    }

    /// A statement arrives.
    fn receive(
        &self,
        wire: Arc<Wire>,
        session: SessionId,
        statement: Statement,
        ticket: Arc<Ticket<Outcome>>,
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

    fn reply<T: Send + 'static>(&self, wire: &Arc<Wire>, ticket: &Arc<Ticket<T>>, answer: T) {
        let (back, ticket) = (Arc::clone(wire), Arc::clone(ticket));
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

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
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
            wire.wait(Arc::clone(&ticket) as _);
            let (there, syn, answer) = (self.clone(), Arc::clone(&wire), Arc::clone(&ticket));
            let arrival = move || {
                let session = there.desk().database.connect();
                // Whoever gave up meanwhile is hung up on, or the session would stay for ever.
                let opened = SimSession { way: there.clone(), wire: Arc::clone(&syn), session };
                there.reply(&syn, &answer, opened);
            };
            self.network.send(&wire, Direction::ToServer, Box::new(arrival));
            ticket.wait().await.map_err(|Broken| NoAnswer)
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
    wire: Arc<Wire>,
    session: SessionId,
}

impl WireSession for SimSession {
    fn send(&mut self, statement: Statement) -> BoxFuture<'static, Reply> {
        if self.wire.is_closed() {
            return std::future::ready(Err(NoAnswer)).boxed();
        }
        let ticket = Ticket::new();
        self.wire.wait(Arc::clone(&ticket) as _);
        let (way, wire, session) = (self.way.clone(), Arc::clone(&self.wire), self.session);
        let answer = Arc::clone(&ticket);
        let arrival = move || way.receive(wire, session, statement, answer);
        self.way.network.send(&self.wire, Direction::ToServer, Box::new(arrival));
        async move { ticket.wait().await.map_err(|Broken| NoAnswer) }.boxed()
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
        self.way.network.send_end(&self.wire, Box::new(arrival));
    }
}

//! A model server with a clock, a life and a past of its own.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use lockproof_model::Instant;
use lockproof_redis_model::{Execution, Reply, Server, Session, WallClock};
use lockproof_sim::{Handle, Shared};

use super::answer::{Answer, Answers, Asker};
use super::clock::Clock;
use super::exchange::{Exchange, Request};
use super::network::{Network, Wire};
use super::pool::Pooled;
use super::socket::Socket;
use super::ticket::Answered;
use crate::{Direction, Keeps, Link, ServerNeeds};

/// The session of what a server does by itself; those of connections count from 1.
const OWN: u64 = 0;

/// One Redis server of the simulated world.
pub(super) struct ModelRedis {
    link: Link,
    handle: Handle,
    network: Shared<Network>,
    state: RefCell<State>,
}

struct State {
    server: Pooled,
    /// Until one of them was promoted; that cuts the others off.
    replica_lags: Vec<Duration>,
    /// How many crashes it has not come back from: two faults may overlap.
    downs: u32,
    pauses: u32,
    /// What arrived while it was paused.
    waiting: Vec<Arrival>,
    /// Connections that ended while it was paused.
    left: Vec<Rc<Wire>>,
    clock: Clock,
    sessions: BTreeMap<u64, Session>,
    /// Sessions that wait for what another one gives.
    blocked: Vec<Arrival>,
    /// What such a session has sent meanwhile, where a connection is a stream of bytes.
    behind: Vec<Arrival>,
    /// Every command since the begin, where a fault may need the past.
    journal: Option<Vec<Entry>>,
}

/// A request that has arrived.
#[derive(Clone)]
struct Arrival {
    wire: Rc<Wire>,
    command: Vec<Bytes>,
    asker: Asker,
}

struct Entry {
    at: Instant,
    wall: WallClock,
    session: u64,
    command: Vec<Bytes>,
}

impl ModelRedis {
    pub(super) fn start(
        link: Link,
        handle: Handle,
        network: Shared<Network>,
        needs: ServerNeeds,
    ) -> Shared<Self> {
        let mut server = Pooled::take();
        server.set_replica_lags(needs.replica_lags());
        let state = State {
            server,
            replica_lags: needs.replica_lags(),
            downs: 0,
            pauses: 0,
            waiting: Vec::new(),
            left: Vec::new(),
            clock: Clock::new(),
            sessions: BTreeMap::new(),
            blocked: Vec::new(),
            behind: Vec::new(),
            journal: needs.past().then(Vec::new),
        };
        Shared::new(Self { link, handle, network, state: RefCell::new(state) })
    }

    /// Somebody asks to connect over `wire`.
    pub(super) fn greet(model: &Shared<Self>, wire: &Shared<Wire>) -> Answered<Exchange> {
        let exchange = Exchange::new(model, wire, Request::Connect);
        let request = Rc::clone(exchange.as_rc());
        model.network.send(wire.as_rc(), Direction::ToServer, request);
        Answered(exchange)
    }

    /// Somebody connects.
    pub(super) fn welcome(&self, wire: &Rc<Wire>, exchange: Rc<Exchange>) {
        let mut state = self.state();
        if state.downs > 0 {
            drop(state);
            self.network.break_off(wire);
            return;
        }
        let session = state.server.open_session();
        state.sessions.insert(wire.id, session);
        drop(state);
        Answer::new(wire, Asker::Exchange(exchange), Reply::OK).send(&self.network);
    }

    /// A request arrives.
    pub(super) fn receive(
        self: &Rc<Self>,
        wire: &Rc<Wire>,
        command: Vec<Bytes>,
        exchange: Rc<Exchange>,
    ) {
        let asker = Asker::Exchange(exchange);
        self.receive_all(wire, [Arrival { wire: Rc::clone(wire), command, asker }]);
    }

    /// Bytes arrive: some requests, the last of them perhaps not whole.
    pub(super) fn receive_bytes(
        self: &Rc<Self>,
        wire: &Rc<Wire>,
        socket: &Rc<Socket>,
        bytes: &[u8],
    ) {
        let (requests, error) = socket.requests(bytes);
        let arrival = |command| {
            let asker = Asker::Socket(Rc::clone(socket));
            Arrival { wire: Rc::clone(wire), command, asker }
        };
        self.receive_all(wire, requests.into_iter().map(arrival));
        if let Some(error) = error {
            self.hang_up(wire);
            let asker = Asker::Socket(Rc::clone(socket));
            Answer::new(wire, asker, error.reply()).and_close().send(&self.network);
        }
    }

    fn receive_all(self: &Rc<Self>, wire: &Rc<Wire>, arrivals: impl IntoIterator<Item = Arrival>) {
        let mut state = self.state();
        if state.downs > 0 || !state.sessions.contains_key(&wire.id) {
            drop(state);
            self.network.break_off(wire);
        } else if state.pauses > 0 {
            state.waiting.extend(arrivals);
        } else {
            let mut answers = Answers::default();
            for arrival in arrivals {
                self.carry_out(&mut state, arrival, &mut answers);
            }
            drop(state);
            answers.send(&self.network);
        }
    }

    /// Answers the command, and whomever it set free.
    fn carry_out(self: &Rc<Self>, state: &mut State, arrival: Arrival, answers: &mut Answers) {
        let now = self.handle.now();
        let wall = state.clock.at(now);
        let State { server, sessions, journal, blocked, behind, .. } = state;
        let Some(session) = sessions.get_mut(&arrival.wire.id) else { return };
        if session.is_blocked() && arrival.asker.is_stream() {
            behind.push(arrival);
            return;
        }
        // What only waits is no part of the past.
        let waits = arrival.command.first().is_some_and(|name| name.eq_ignore_ascii_case(b"wait"));
        if let Some(journal) = journal.as_mut().filter(|_| !waits) {
            let command = arrival.command.clone();
            journal.push(Entry { at: now, wall, session: arrival.wire.id, command });
        }
        let execution = server.execute(session, &arrival.command, wall);
        let Arrival { wire, asker, .. } = &arrival;
        match execution {
            Execution::Reply(reply) => answers.add(wire, asker, session, Some(reply)),
            Execution::Close(reply) => {
                answers.add(wire, asker, session, Some(reply));
                answers.close();
            }
            Execution::Pushed => answers.add(wire, asker, session, None),
            Execution::Blocked { until } => {
                blocked.push(arrival);
                if let Some(until) = until {
                    let (this, wait) = (Rc::clone(self), until.since(wall));
                    self.handle.after(wait + Duration::from_millis(1), move || this.look_again());
                }
            }
        }
        if !state.blocked.is_empty() {
            self.set_free(state, wall, answers);
        }
    }

    /// Answers the blocked sessions that have what they waited for, and goes on with what they sent meanwhile.
    fn set_free(self: &Rc<Self>, state: &mut State, wall: WallClock, answers: &mut Answers) {
        let State { server, sessions, blocked, behind, .. } = state;
        let before = blocked.len();
        blocked.retain(|Arrival { wire, asker, .. }| {
            let Some(session) = sessions.get_mut(&wire.id) else { return false };
            let Some(reply) = server.resume(session, wall) else { return true };
            answers.add(wire, asker, session, Some(reply));
            false
        });
        if blocked.len() < before {
            for arrival in std::mem::take(behind) {
                self.carry_out(state, arrival, answers);
            }
        }
    }

    /// Whether a blocked session's time is over.
    fn look_again(self: &Rc<Self>) {
        let mut state = self.state();
        let wall = state.clock.at(self.handle.now());
        let mut answers = Answers::default();
        self.set_free(&mut state, wall, &mut answers);
        drop(state);
        answers.send(&self.network);
    }

    /// The end of a connection arrives.
    pub(super) fn hang_up(&self, wire: &Rc<Wire>) {
        let mut state = self.state();
        if state.pauses > 0 {
            // It reads what was sent before that first.
            state.left.push(Rc::clone(wire));
            return;
        }
        state.sessions.remove(&wire.id);
        state.blocked.retain(|arrival| arrival.wire.id != wire.id);
        state.behind.retain(|arrival| arrival.wire.id != wire.id);
    }

    pub(super) fn pause(&self) {
        self.state().pauses += 1;
    }

    /// Goes on; says how many requests had waited.
    pub(super) fn resume(self: &Rc<Self>) -> usize {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        if state.pauses > 0 {
            return 0;
        }
        let (waiting, left) = (std::mem::take(&mut state.waiting), std::mem::take(&mut state.left));
        drop(state);
        let count = waiting.len();
        for arrival in waiting {
            self.receive_all(&Rc::clone(&arrival.wire), [arrival]);
        }
        left.iter().for_each(|wire| self.hang_up(wire));
        count
    }

    /// Dies: every connection ends, and what waited is gone. Says how many connections that were.
    pub(super) fn crash(&self) -> usize {
        let mut state = self.state();
        state.downs += 1;
        let sessions = state.disconnect();
        drop(state);
        self.network.break_all(self.link);
        sessions
    }

    /// Starts again with what it had kept; says what that differs in.
    pub(super) fn restart(&self, keeps: Keeps, crashed: Instant) -> Rewound {
        let mut state = self.state();
        let kept = match keeps {
            Keeps::Nothing => None,
            Keeps::Everything => Some(crashed),
            Keeps::EverySecond => {
                Some(Instant::ZERO + Duration::from_secs(crashed.since_start().as_secs()))
            }
        };
        let lost = self.rewind(&mut state, kept);
        state.downs = state.downs.saturating_sub(1);
        lost
    }

    /// Its replica, which was `lag` behind, takes its place; says how many connections ended, and what it differs in.
    pub(super) fn fail_over(&self, lag: Duration) -> (usize, Rewound) {
        let mut state = self.state();
        let connections = state.disconnect();
        // The others follow it from now on.
        if !state.replica_lags.is_empty() {
            state.replica_lags.remove(0);
        }
        let upto = self.handle.now() - lag;
        let lost = self.rewind(&mut state, Some(upto));
        drop(state);
        self.network.break_all(self.link);
        (connections, lost)
    }

    /// Makes it what it was at `upto`, or empty; scripts are not persisted.
    fn rewind(&self, state: &mut State, upto: Option<Instant>) -> Rewound {
        let now = state.clock.at(self.handle.now());
        let before = strings(&mut state.server, b"*", now);
        state.server.start_over();
        state.server.set_replica_lags(state.replica_lags.clone());
        let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
        let mut journal = state.journal.take();
        if let Some(entries) = &mut journal {
            entries.retain(|entry| upto.is_some_and(|upto| entry.at <= upto));
            for Entry { wall, session, command, .. } in &*entries {
                let server = &mut state.server;
                let session = sessions.entry(*session).or_insert_with(|| server.open_session());
                server.execute(session, command, *wall);
            }
        }
        state.journal = journal;
        state.server.forget_scripts();
        if let Some(journal) = &mut state.journal {
            // Or the next rewind would find those of an earlier life loaded, and carry out what was refused in this one.
            let command = vec![Bytes::from_static(b"SCRIPT"), Bytes::from_static(b"FLUSH")];
            journal.push(Entry { at: self.handle.now(), wall: now, session: OWN, command });
        }
        let after = strings(&mut state.server, b"*", now);
        let missing = |these: &[(String, String, bool)], from: &[(String, String, bool)]| {
            these.iter().filter(|this| !from.contains(this)).count()
        };
        Rewound { lost: missing(&before, &after), stale: missing(&after, &before) }
    }

    /// Moves its wall clock and sets its rate; `None` leaves that as it is. Says what it showed before and after.
    pub(super) fn set_clock(&self, by_ms: i64, rate: Option<f64>) -> (i64, i64) {
        let now = self.handle.now();
        let mut state = self.state();
        let before = state.clock.at(now).unix_millis();
        let rate = rate.unwrap_or(state.clock.rate);
        state.clock.set(now, by_ms, rate);
        (before, state.clock.at(now).unix_millis())
    }

    /// Drops every key that matches; says how many.
    pub(super) fn drop_keys(&self, pattern: &[u8]) -> usize {
        let mut state = self.state();
        let now = state.clock.at(self.handle.now());
        let keys = state.server.keys_matching(0, pattern, now);
        keys.iter().filter(|key| self.drop_from(&mut state, key, now)).count()
    }

    /// The keys that match and hold strings, with what they hold and whether they end.
    pub(super) fn strings(&self, pattern: &[u8]) -> Vec<(String, String, bool)> {
        let mut state = self.state();
        let now = state.clock.at(self.handle.now());
        strings(&mut state.server, pattern, now)
    }

    /// Drops one key; says whether it was there.
    pub(super) fn drop_key(&self, key: &str) -> bool {
        let mut state = self.state();
        let now = state.clock.at(self.handle.now());
        self.drop_from(&mut state, &Bytes::copy_from_slice(key.as_bytes()), now)
    }

    /// Redis tells its replicas and its append-only file of what it evicts and expires, as a DEL.
    fn drop_from(&self, state: &mut State, key: &Bytes, wall: WallClock) -> bool {
        let dropped = state.server.drop_key(0, key, wall);
        if let Some(journal) = state.journal.as_mut().filter(|_| dropped) {
            let command = vec![Bytes::from_static(b"DEL"), key.clone()];
            journal.push(Entry { at: self.handle.now(), wall, session: OWN, command });
        }
        dropped
    }

    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }
}

impl State {
    /// Forgets every connection; says how many there were.
    fn disconnect(&mut self) -> usize {
        self.waiting.clear();
        self.left.clear();
        self.blocked.clear();
        self.behind.clear();
        std::mem::take(&mut self.sessions).len()
    }
}

/// What a server's past differs in from its present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rewound {
    /// Values that it no longer holds.
    pub(super) lost: usize,
    /// Values that it holds again: a deleted lock stands, a counter goes back.
    pub(super) stale: usize,
}

/// The keys that match and hold strings, which is all that a lock has, with what they hold and whether they end.
fn strings(server: &mut Server, pattern: &[u8], now: WallClock) -> Vec<(String, String, bool)> {
    let keys = server.keys_matching(0, pattern, now);
    if keys.is_empty() {
        return Vec::new();
    }
    let mut session = server.open_session();
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut strings = Vec::new();
    for key in keys {
        let get = [Bytes::from_static(b"GET"), key.clone()];
        let reply = server.execute(&mut session, &get, now).into_reply();
        if let Reply::Bulk(value) = reply {
            let ttl = [Bytes::from_static(b"PTTL"), key.clone()];
            let ends = server.execute(&mut session, &ttl, now).into_reply() != Reply::Integer(-1);
            strings.push((text(&key), text(&value), ends));
        }
    }
    strings
}

impl fmt::Debug for ModelRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelRedis").field("link", &self.link).finish_non_exhaustive()
    }
}

//! Both servers, step by step.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use lockproof_redis_model::{Execution, Options, Reply, Server, WallClock};

use crate::action::{Action, CONNECTIONS, line};
use crate::compare::Shape;
use crate::connection::Connection;
use crate::real::RealServer;

/// Of a key that is to expire: long enough for redis not to find it over while it sets it.
const TTL_MILLIS: &[u8] = b"3";
/// Longer than that, on both clocks.
const TIME_STEP: Duration = Duration::from_millis(5);

pub(crate) struct Duel {
    address: SocketAddr,
    model: Server,
    now: WallClock,
    /// The last one listens to what happens to keys, and does nothing else.
    clients: Vec<Connection>,
    /// Prepares and steps time; never inside a transaction.
    admin: Connection,
    blocked_before: usize,
}

impl Duel {
    pub(crate) fn new(real: &RealServer) -> Self {
        let mut model = Server::new(Options::default());
        let mut open = || Connection::open(real.address, model.open_session());
        let admin = open();
        let clients = (0..=CONNECTIONS).map(|_| open()).collect();
        Self {
            address: real.address,
            model,
            now: WallClock::default(),
            clients,
            admin,
            blocked_before: 0,
        }
    }

    pub(crate) fn run(&mut self, actions: &[Action]) -> Result<(), String> {
        self.prepare();
        let result = self.listen().and_then(|()| self.play(actions));
        if result.is_err() {
            // Streams are out of step: the next sequence begins on new ones.
            self.reconnect(|_| true);
        }
        self.reconnect(|client| client.session.is_blocked());
        // Redis notices a closed connection in its own time, before the next sequence's commands.
        self.await_blocked().expect("a closed connection blocks no more");
        result
    }

    fn reconnect(&mut self, whom: impl Fn(&Connection) -> bool) {
        for client in &mut self.clients {
            if whom(client) {
                *client = Connection::open(self.address, self.model.open_session());
            }
        }
        if whom(&self.admin) {
            self.admin = Connection::open(self.address, self.model.open_session());
        }
    }

    /// The same clock, about: expiries are told as remaining and as absolute times.
    fn synchronise(&mut self) {
        self.admin.send(&["TIME"]);
        self.admin.flush();
        let reply = self.admin.read().expect("the real server answers");
        let Reply::Array(parts) = &reply else { panic!("TIME answered {reply:?}") };
        let Some(Reply::Bulk(seconds)) = parts.first() else { panic!("TIME answered {reply:?}") };
        let seconds: u64 = String::from_utf8_lossy(seconds).parse().expect("TIME tells a number");
        self.now = WallClock::from_unix_millis(1_000 * seconds);
    }

    fn prepare(&mut self) {
        self.synchronise();
        for client in &mut self.clients {
            client.queued.clear();
            client.in_transaction = false;
            let words = [Bytes::from_static(b"RESET")];
            self.model.execute(&mut client.session, &words, self.now);
            client.session.take_pushes();
            client.send(&words);
            client.flush();
            while client.read().expect("the real server answers") != Reply::status("RESET") {}
        }
        for line in ["FLUSHALL", "SCRIPT FLUSH", "CONFIG SET notify-keyspace-events Eg$lshz"] {
            let words: Vec<Bytes> =
                line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
            self.model.execute(&mut self.admin.session, &words, self.now);
            self.admin.send(&words);
            self.admin.flush();
            self.admin.read().expect("the real server answers");
        }
    }

    /// Lets the last client hear of every change of a key, in either protocol.
    fn listen(&mut self) -> Result<(), String> {
        let words = [&b"PSUBSCRIBE"[..], b"__keyevent*"].map(<[u8]>::to_vec);
        self.command(CONNECTIONS, &words);
        self.settle()
    }

    fn play(&mut self, actions: &[Action]) -> Result<(), String> {
        let mut at = 0;
        while at < actions.len() {
            let connection = match &actions[at] {
                Action::Expire { key } => {
                    self.expire(key)?;
                    at += 1;
                    continue;
                }
                Action::Command { connection, .. } => *connection,
            };
            // A pipeline: as many commands as follow each other on one connection.
            while let Some(Action::Command { connection: same, words }) = actions.get(at)
                && *same == connection
            {
                at += 1;
                self.command(connection, words);
            }
            self.settle()?;
        }
        self.compare_state()
    }

    fn command(&mut self, index: usize, words: &[Vec<u8>]) {
        let client = &mut self.clients[index];
        if client.session.is_blocked() || client.in_transaction && is_left_out(words) {
            return;
        }
        let what = format!("{index}: {}", line(words));
        let owned: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        let execution = self.model.execute(&mut client.session, &owned, self.now);
        client.send(words);
        for push in client.session.take_pushes() {
            client.expect(format!("{what} (push)"), &push, Shape::Exact);
        }
        if let Execution::Reply(reply) = execution {
            let shape = shape(client, words, &reply);
            client.expect(what.clone(), &reply, shape);
        }
        client.end_group();
        for (other, client) in self.clients.iter_mut().enumerate() {
            for push in client.session.take_pushes() {
                client.expect(format!("{what} (push to {other})"), &push, Shape::Exact);
            }
            if let Some(reply) = self.model.resume(&mut client.session, self.now) {
                client.expect(format!("{what} (unblocks {other})"), &reply, Shape::Exact);
            }
        }
    }

    fn settle(&mut self) -> Result<(), String> {
        self.clients.iter_mut().for_each(Connection::flush);
        self.clients.iter_mut().try_for_each(Connection::settle)?;
        self.await_blocked()
    }

    /// Who blocks is not answered: another connection's next command could overtake it.
    fn await_blocked(&mut self) -> Result<(), String> {
        let blocked = self.clients.iter().filter(|client| client.session.is_blocked()).count();
        if blocked == self.blocked_before {
            return Ok(());
        }
        self.blocked_before = blocked;
        let wanted = format!("blocked_clients:{blocked}\r");
        for _ in 0..1_000 {
            self.admin.send(&["INFO", "clients"]);
            self.admin.flush();
            if let Reply::Bulk(text) = self.admin.read()?
                && String::from_utf8_lossy(&text).contains(&wanted)
            {
                return Ok(());
            }
        }
        Err(format!("the model blocks {blocked} clients, redis another number"))
    }

    /// What the keys hold in the end, and for how long: more than the sequence itself may ask.
    fn compare_state(&mut self) -> Result<(), String> {
        for key in ["a", "b", ""] {
            for command in ["PTTL", "GET", "HGETALL", "SMEMBERS", "ZRANGE", "LRANGE"] {
                let mut words = vec![command, key];
                if command.ends_with("RANGE") {
                    words.extend(["0", "-1"]);
                }
                if command == "ZRANGE" {
                    words.push("WITHSCORES");
                }
                let words: Vec<Vec<u8>> =
                    words.iter().map(|word| word.as_bytes().to_vec()).collect();
                let owned: Vec<Bytes> =
                    words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
                let reply = self.model.execute(&mut self.admin.session, &owned, self.now);
                self.admin.send(&words);
                let what = format!("in the end {}", line(&words));
                self.admin.expect(what, &reply.into_reply(), Shape::of(&words));
                self.admin.end_group();
            }
        }
        self.admin.flush();
        self.admin.settle()
    }

    #[expect(clippy::disallowed_methods, reason = "the real server counts real time")]
    fn expire(&mut self, key: &[u8]) -> Result<(), String> {
        let words = [&b"PEXPIRE"[..], key, TTL_MILLIS];
        let owned = words.map(Bytes::copy_from_slice);
        let reply = self.model.execute(&mut self.admin.session, &owned, self.now).into_reply();
        self.admin.send(&words);
        self.admin.expect(format!("expire {}", key.escape_ascii()), &reply, Shape::Exact);
        self.admin.flush();
        self.admin.settle()?;
        for client in &mut self.clients {
            for push in client.session.take_pushes() {
                client.expect("expire (push)".to_owned(), &push, Shape::Exact);
            }
        }
        self.settle()?;
        if reply != Reply::Integer(0) {
            std::thread::sleep(TIME_STEP);
            self.now = self.now.after(TIME_STEP);
        }
        Ok(())
    }
}

/// EXEC's reply takes its shape from what was queued.
fn shape(client: &mut Connection, words: &[Vec<u8>], reply: &Reply) -> Shape {
    if *reply == Reply::status("QUEUED") {
        client.queued.push(Shape::of(words));
        return Shape::Exact;
    }
    let name = words[0].to_ascii_lowercase();
    match name.as_slice() {
        b"multi" if *reply == Reply::OK => client.in_transaction = true,
        b"discard" | b"reset" if reply.as_error().is_none() => {
            client.queued.clear();
            client.in_transaction = false;
        }
        b"exec" => {
            client.in_transaction = false;
            return Shape::Exec(std::mem::take(&mut client.queued));
        }
        _ => {}
    }
    Shape::of(words)
}

/// What the model does otherwise inside a transaction; see `DIFFERENCES.md`.
fn is_left_out(words: &[Vec<u8>]) -> bool {
    let name = words[0].to_ascii_lowercase();
    name.ends_with(b"subscribe") || name == b"hello"
}

//! The model with a past: what it has kept is the journal of its commands, as in the simulated world.

use bytes::Bytes;
use lockproof_redis_model::{Options, Protocol, Reply, Server, Session, WallClock};

use super::Keeps;
use crate::connection::as_read;

/// A model server that can die and come back.
pub(super) struct Past {
    keeps: Keeps,
    server: Server,
    millis: u64,
    sessions: Vec<Session>,
    /// Connections of before are other ones than those of now.
    generation: usize,
    journal: Vec<Entry>,
}

/// A command as it was carried out: by whom, when, and which.
struct Entry {
    wall: WallClock,
    generation: usize,
    connection: usize,
    words: Vec<Bytes>,
}

impl Past {
    pub(super) fn new(keeps: Keeps) -> Self {
        let server = Server::new(Options::default());
        let (sessions, journal) = (Vec::new(), Vec::new());
        Self { keeps, server, millis: 0, sessions, generation: 0, journal }
    }

    /// A new server with so many connections, and nothing behind it.
    pub(super) fn begin(&mut self, connections: usize, millis: u64) {
        self.server.start_over();
        self.server.forget_scripts();
        self.journal.clear();
        self.millis = millis;
        self.connect(connections);
    }

    pub(super) fn set_clock(&mut self, millis: u64) {
        self.millis = millis;
    }

    pub(super) fn execute(&mut self, connection: usize, words: &[Vec<u8>]) -> Reply {
        let words: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        let wall = WallClock::from_unix_millis(self.millis);
        let session = &mut self.sessions[connection];
        let reply = self.server.execute(session, &words, wall).into_reply();
        self.journal.push(Entry { wall, generation: self.generation, connection, words });
        as_read(&reply, Protocol::Resp2)
    }

    /// Dies and comes back with what it has kept: the commands of before, each at its own time. Scripts are not kept.
    pub(super) fn start_again(&mut self) {
        let connections = self.sessions.len();
        self.server.start_over();
        match self.keeps {
            Keeps::Nothing => self.journal.clear(),
            Keeps::Everything => self.replay(connections),
        }
        self.generation += 1;
        self.connect(connections);
        // In the journal too: what is replayed after the next death must not find the scripts of before this one.
        self.execute(0, &[b"SCRIPT".to_vec(), b"FLUSH".to_vec()]);
    }

    fn replay(&mut self, connections: usize) {
        let mut generation = None;
        for entry in &self.journal {
            if generation != Some(entry.generation) {
                generation = Some(entry.generation);
                let server = &mut self.server;
                self.sessions = (0..connections).map(|_| server.open_session()).collect();
            }
            self.server.execute(&mut self.sessions[entry.connection], &entry.words, entry.wall);
        }
    }

    fn connect(&mut self, connections: usize) {
        let server = &mut self.server;
        self.sessions = (0..connections).map(|_| server.open_session()).collect();
    }
}

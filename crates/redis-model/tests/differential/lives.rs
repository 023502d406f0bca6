//! What outlives a jump of the clock, and a death: both servers, event by event.
//!
//! The real server's clock is preloaded and stands still; it moves when the model's does, by as much. So every TTL is
//! told to the millisecond, at its very end too, and nothing depends on how quick anybody is.

mod mortal;
mod named;
mod past;

use std::cell::RefCell;

use lockproof_redis_model::Reply;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::action::{fill, line};
use crate::templates::{LIVES, SETS_OF_WORDS};
use crate::{runner, say, skip};
use mortal::{Connection, Mortal};
use past::Past;

/// Where both clocks stand in the beginning: 1 January 2026, UTC.
const BEGIN_MS: u64 = 1_767_225_600_000;
const EVENTS_MAX: usize = 40;
/// Connections that run commands; one more looks at what is there.
const CONNECTIONS: usize = 2;
const LOOKER: usize = CONNECTIONS;
const KEYS: [&str; 3] = ["k", "l", "m"];
/// How far clocks jump: by a TTL, by a little more or less, and beyond everything.
const JUMPS_MS: [i64; 12] =
    [1, -1, 2, 499, 1_000, -1_000, 1_001, 10_000, -10_000, 10_001, -60_000, 60_000];

/// What a server finds when it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// No append-only file.
    Nothing,
    /// `appendfsync always`.
    Everything,
}

/// One step of both servers.
#[derive(Clone)]
enum Event {
    Command {
        connection: usize,
        words: Vec<Vec<u8>>,
    },
    /// The wall clock jumps by so many milliseconds.
    Jump(i64),
    /// It is killed, and starts again when the clock has moved on by so many milliseconds.
    Death(i64),
}

/// As a person would write it, so that a failure can be read.
impl std::fmt::Debug for Event {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command { connection, words } => write!(out, "{connection}: {}", line(words)),
            Self::Jump(by) => write!(out, "clock {by:+} ms"),
            Self::Death(by) => write!(out, "death, clock {by:+} ms"),
        }
    }
}

/// Sequences of up to so many events, in which servers die as often as `deaths` says beside 20 other events.
fn events(deaths: u32) -> impl Strategy<Value = Vec<Event>> {
    let command = (0..CONNECTIONS, any::<u16>(), vec(any::<u16>(), 6));
    let command = command.prop_map(|(connection, template, choices)| {
        let words = fill(LIVES[usize::from(template) % LIVES.len()], &choices);
        Event::Command { connection, words }
    });
    let by = || prop::sample::select(JUMPS_MS.as_slice());
    let event = prop_oneof![
        16 => command,
        4 => by().prop_map(Event::Jump),
        deaths => prop_oneof![Just(0), by()].prop_map(Event::Death),
    ];
    vec(event, 1..EVENTS_MAX)
}

/// Both servers.
struct Lives {
    real: Mortal,
    connections: Vec<Connection>,
    model: Past,
    millis: u64,
}

impl Lives {
    /// `None`, and a line that says so, where there is no server to start or no way to steer its clock.
    fn start(keeps: Keeps) -> Option<Self> {
        if !lockproof_clock_shim::is_supported() {
            say("skipped: clocks can be steered on 64-bit Linux alone");
            return None;
        }
        let Some(real) = Mortal::start(keeps, BEGIN_MS) else {
            skip();
            return None;
        };
        Some(Self { real, connections: Vec::new(), model: Past::new(keeps), millis: BEGIN_MS })
    }

    /// Forgets what was before.
    fn begin(&mut self) {
        self.connect();
        self.model.begin(CONNECTIONS + 1, BEGIN_MS);
        self.set_clock(BEGIN_MS);
        for words in [vec!["FLUSHALL"], vec!["SCRIPT", "FLUSH"]] {
            let reply = self.connections[LOOKER].ask(&words);
            assert_eq!(reply, Ok(Reply::OK), "{words:?}");
        }
    }

    fn connect(&mut self) {
        self.connections = (0..=CONNECTIONS).map(|_| self.real.connect()).collect();
    }

    fn move_clock(&mut self, by: i64) {
        self.set_clock(self.millis.saturating_add_signed(by));
    }

    fn set_clock(&mut self, millis: u64) {
        self.millis = millis;
        self.real.set_clock(millis);
        self.model.set_clock(millis);
    }

    fn run(&mut self, events: &[Event]) -> Result<(), String> {
        self.begin();
        for event in events {
            self.event(event).map_err(|difference| format!("{event:?}: {difference}"))?;
        }
        self.look()
    }

    /// The reply that both give.
    fn event(&mut self, event: &Event) -> Result<Reply, String> {
        match event {
            Event::Command { connection, words } => return self.command(*connection, words),
            Event::Jump(by) => {
                self.look()?;
                self.move_clock(*by);
            }
            Event::Death(by) => {
                self.look()?;
                self.real.kill();
                self.move_clock(*by);
                self.real.start_again();
                self.model.start_again();
                self.connect();
            }
        }
        // A real server reaps by a timer of its own or when somebody looks: somebody looks, before and after.
        self.look()?;
        Ok(Reply::OK)
    }

    fn command(&mut self, connection: usize, words: &[Vec<u8>]) -> Result<Reply, String> {
        let model = self.model.execute(connection, words);
        let real = self.connections[connection].ask(words);
        let real = real.map_err(|error| format!("{}: redis is gone: {error}", line(words)))?;
        if model == real {
            return Ok(model);
        }
        Err(format!("{}\n  model {model:?}\n  redis {real:?}", line(words)))
    }

    /// The time, what the keys hold, and until when.
    fn look(&mut self) -> Result<(), String> {
        self.ask(&["TIME"])?;
        for key in KEYS {
            self.ask(&["PEXPIRETIME", key])?;
            self.ask(&["PTTL", key])?;
            let Reply::Status(kind) = self.ask(&["TYPE", key])? else {
                return Err(format!("TYPE {key} is no status"));
            };
            match &kind[..] {
                b"string" => self.ask(&["GET", key])?,
                b"hash" => self.ask(&["HGETALL", key])?,
                b"list" => self.ask(&["LRANGE", key, "0", "-1"])?,
                _ => self.ask(&["EXISTS", key])?,
            };
        }
        Ok(())
    }

    fn ask(&mut self, words: &[&str]) -> Result<Reply, String> {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        self.command(LOOKER, &words)
    }
}

fn try_random(keeps: Keeps, deaths: u32, costs: u32) {
    let Some(lives) = Lives::start(keeps) else { return };
    let lives = RefCell::new(lives);
    let (mut runner, seed) = runner(costs);
    let outcome = runner.run(&events(deaths), |events| {
        lives.borrow_mut().run(&events).map_err(TestCaseError::fail)
    });
    if let Err(failure) = outcome {
        panic!("seed {seed}: {failure}");
    }
}

#[test]
fn keys_end_as_in_redis_when_its_clock_jumps() {
    try_random(Keeps::Nothing, 0, 3);
}

#[test]
fn a_server_that_keeps_nothing_comes_back_as_redis_does() {
    try_random(Keeps::Nothing, 1, 60);
}

#[test]
fn a_server_that_keeps_everything_comes_back_as_redis_does() {
    try_random(Keeps::Everything, 1, 60);
}

#[test]
fn the_keys_that_are_looked_at_are_those_of_the_commands() {
    let (_, keys) = SETS_OF_WORDS.iter().find(|(name, _)| *name == "key").expect("words for keys");
    assert_eq!(*keys, KEYS);
}

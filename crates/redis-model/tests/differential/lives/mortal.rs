//! A real server that can be killed and started again, with its clock in the test's hand.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use lockproof_clock_shim::SteeredClock;
use lockproof_redis_model::Reply;
use lockproof_redis_model::resp::{ReplyParser, encode_request};
use tempfile::TempDir;

use super::Keeps;
use crate::real::Process;

const POLL: Duration = Duration::from_millis(2);
/// Of [`POLL`]; a server that starts takes a few.
const PATIENCE: u32 = 5_000;

/// Its clock stands still: time passes when the test says so, and to the millisecond.
pub(super) struct Mortal {
    keeps: Keeps,
    clock: SteeredClock,
    /// None while it is down.
    process: Option<Process>,
    /// Its socket, its clock and its append-only file; the last to go.
    directory: TempDir,
}

impl Mortal {
    /// `None` when there is none to start.
    pub(super) fn start(keeps: Keeps, millis: u64) -> Option<Self> {
        let directory = TempDir::new().expect("a directory can be made");
        let mut clock = SteeredClock::create(directory.path()).expect("the directory is ours");
        clock.set(|clock| clock.run_at(0, 0.0)).expect("the map can be written");
        let mut server = Self { keeps, clock, process: None, directory };
        server.set_clock(millis);
        server.spawn()?;
        server.wait_until_it_answers();
        Some(server)
    }

    /// Lets its clock show so many milliseconds since 1970 from now on.
    pub(super) fn set_clock(&mut self, millis: u64) {
        let nanos = i64::try_from(millis * 1_000_000).expect("no clock shows that");
        let by = nanos - self.clock.at(0);
        self.clock.set(|clock| clock.jump(0, by)).expect("the map can be written");
    }

    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    pub(super) fn start_again(&mut self) {
        self.spawn().expect("it was there before");
        self.wait_until_it_answers();
    }

    fn spawn(&mut self) -> Option<()> {
        let appends: &[&str] = match self.keeps {
            Keeps::Nothing => &["--appendonly", "no"],
            Keeps::Everything => &["--appendonly", "yes", "--appendfsync", "always"],
        };
        let arguments = [&["--port", "0", "--unixsocket", "redis.sock"], appends].concat();
        let process = Process::start(&arguments, |command| {
            command.current_dir(self.directory.path()).envs(self.clock.environment());
        });
        self.process = Some(process?);
        Some(())
    }

    /// Until it has read what it had kept, too: before that it answers that it is loading.
    #[expect(clippy::disallowed_methods, reason = "waits for another process")]
    fn wait_until_it_answers(&self) {
        for _ in 0..PATIENCE {
            if let Ok(mut connection) = self.try_connect()
                && connection.ask(&["PING"]) == Ok(Reply::status("PONG"))
            {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("redis-server was started and does not answer");
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    fn try_connect(&self) -> std::io::Result<Connection> {
        let stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Connection { stream, parser: ReplyParser::new(), input: BytesMut::new() })
    }

    pub(super) fn connect(&self) -> Connection {
        self.try_connect().expect("the server listens")
    }
}

/// One that asks and waits for the answer.
pub(super) struct Connection {
    stream: UnixStream,
    parser: ReplyParser,
    input: BytesMut,
}

impl Connection {
    pub(super) fn ask(&mut self, words: &[impl AsRef<[u8]>]) -> Result<Reply, ErrorKind> {
        let mut output = BytesMut::new();
        encode_request(words, &mut output);
        self.stream.write_all(&output).map_err(|error| error.kind())?;
        loop {
            let reply = self.parser.next_reply(&mut self.input);
            if let Some(reply) = reply.map_err(|_| ErrorKind::InvalidData)? {
                return Ok(reply);
            }
            let mut chunk = [0; 4 << 10];
            match self.stream.read(&mut chunk).map_err(|error| error.kind())? {
                0 => return Err(ErrorKind::UnexpectedEof),
                len => self.input.extend_from_slice(&chunk[..len]),
            }
        }
    }
}

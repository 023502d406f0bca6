//! A server behind a byte stream.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::clock::WallClock;
use crate::resp::{RequestParser, encode_reply};
use crate::server::{Execution, Server};
use crate::session::Session;

/// Room for one read; a pipeline of small commands fits into a few.
const READ_BYTES: usize = 16 << 10;
/// Replies are sent once they have grown to this, so that a long pipeline does not pile them up.
const WRITE_BYTES: usize = 256 << 10;
/// What a client may send while it is blocked: more stays in the stream.
const BLOCKED_BYTES_MAX: usize = 1 << 20;
/// How often expiries are looked for while somebody listens for them, at least; another connection
/// may have set a nearer one. Redis' own timer has the same period.
const EXPIRY_LOOK: Duration = Duration::from_millis(100);

/// A server that many connections share.
#[derive(Debug, Clone)]
pub struct SharedServer(Arc<Mutex<Server>>);

impl SharedServer {
    /// Shares `server`.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self(Arc::new(Mutex::new(server)))
    }

    /// Works on the server while nobody else does. Commands take microseconds, so that waiting for
    /// one another blocks no executor for long.
    ///
    /// # Panics
    ///
    /// When an earlier visitor panicked: its data may be half changed, and is not to be judged by.
    pub fn with<R>(&self, visit: impl FnOnce(&mut Server) -> R) -> R {
        visit(&mut self.0.lock().expect("no command panics"))
    }
}

impl From<Server> for SharedServer {
    fn from(server: Server) -> Self {
        Self::new(server)
    }
}

/// As [`serve_connection_with`], with the timer of the tokio runtime that it runs on.
///
/// # Cancel safety
///
/// Dropping the future drops the stream: a connection reset. Commands that were carried out stay
/// so, their replies may be lost.
///
/// # Errors
///
/// Those of the stream.
pub async fn serve_connection<S, C>(stream: S, server: SharedServer, clock: C) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    C: Fn() -> WallClock + Send + Sync,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "the caller chose the runtime; another timer can be given"
    )]
    serve_connection_with(stream, server, clock, tokio::time::sleep).await
}

/// Serves one connection until the client closes it, sends QUIT or breaks the protocol.
///
/// All commands that have arrived are carried out before their replies are written, in one piece.
/// The clock is read for each command. A client that is blocked or listens is woken by what comes
/// for it; `sleep` ends a block whose time is over, and lets expiries be told in time.
///
/// # Cancel safety
///
/// Dropping the future drops the stream: a connection reset. Commands that were carried out stay
/// so, their replies may be lost.
///
/// # Errors
///
/// Those of the stream.
pub async fn serve_connection_with<S, C, T, F>(
    mut stream: S,
    server: SharedServer,
    clock: C,
    sleep: T,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    C: Fn() -> WallClock + Send + Sync,
    T: Fn(Duration) -> F + Send + Sync,
    F: Future<Output = ()> + Send,
{
    let mut connection = Connection {
        session: server.with(Server::open_session),
        server,
        parser: RequestParser::new(),
        input: BytesMut::new(),
        output: BytesMut::new(),
    };
    loop {
        loop {
            let state = connection.work(&clock);
            if !connection.output.is_empty() {
                stream.write_all(&connection.output).await?;
                connection.output.clear();
            }
            match state {
                State::Full => {}
                State::Drained => break,
                State::Closing => {
                    stream.flush().await?;
                    return stream.shutdown().await;
                }
            }
        }
        stream.flush().await?;
        if !connection.wait(&mut stream, &clock, &sleep).await? {
            return Ok(());
        }
    }
}

#[derive(Debug)]
struct Connection {
    server: SharedServer,
    session: Session,
    parser: RequestParser,
    input: BytesMut,
    output: BytesMut,
}

/// Why a connection stopped working on its input.
enum State {
    /// The input holds no whole request any more, or the session is blocked.
    Drained,
    /// The replies are to be written first.
    Full,
    /// The replies are to be written, and nothing more.
    Closing,
}

impl Connection {
    /// Carries out what has arrived, until the output is full.
    fn work(&mut self, clock: impl Fn() -> WallClock) -> State {
        if self.is_unasked_possible() && !self.receive(&clock) {
            return State::Closing;
        }
        while self.output.len() < WRITE_BYTES {
            if self.session.is_blocked() {
                return State::Drained;
            }
            match self.parser.next_request(&mut self.input) {
                Ok(None) => return State::Drained,
                Ok(Some(words)) => {
                    if !self.execute(&words, clock()) {
                        return State::Closing;
                    }
                }
                Err(error) => {
                    encode_reply(&error.reply(), self.session.protocol(), &mut self.output);
                    return State::Closing;
                }
            }
        }
        State::Full
    }

    /// Carries out one command; `false` ends the connection.
    fn execute(&mut self, words: &[Bytes], now: WallClock) -> bool {
        let session = &mut self.session;
        let execution = self.server.with(|server| server.execute(session, words, now));
        self.encode_pushes();
        let (reply, stays) = match execution {
            Execution::Reply(reply) => (reply, true),
            Execution::Close(reply) => (reply, false),
            Execution::Pushed | Execution::Blocked { .. } => return true,
        };
        encode_reply(&reply, self.session.protocol(), &mut self.output);
        stays
    }

    fn encode_pushes(&mut self) {
        for push in self.session.take_pushes() {
            encode_reply(&push, self.session.protocol(), &mut self.output);
        }
    }

    fn is_unasked_possible(&self) -> bool {
        self.session.is_blocked() || self.session.is_subscribed()
    }

    /// Encodes what has come unasked; `false` ends the connection.
    fn receive(&mut self, clock: impl Fn() -> WallClock) -> bool {
        let (session, now) = (&mut self.session, clock());
        let answer = self.server.with(|server| {
            server.expire_due(now);
            server.resume(session, now)
        });
        self.encode_pushes();
        if let Some(reply) = answer {
            encode_reply(&reply, self.session.protocol(), &mut self.output);
        }
        !self.session.has_overflowed()
    }

    /// Waits for more input, or for something unasked; `false` when the client has gone.
    async fn wait<S, C, T, F>(&mut self, stream: &mut S, clock: &C, sleep: &T) -> io::Result<bool>
    where
        S: AsyncRead + Send + Unpin,
        C: Fn() -> WallClock + Send + Sync,
        T: Fn(Duration) -> F + Send + Sync,
        F: Future<Output = ()> + Send,
    {
        if !self.is_unasked_possible() {
            self.input.reserve(READ_BYTES);
            return Ok(stream.read_buf(&mut self.input).await? > 0);
        }
        let nap = self.nap(clock());
        let (arrival, input) = (self.session.arrival(), &mut self.input);
        let reads = !self.session.is_blocked() || input.len() < BLOCKED_BYTES_MAX;
        let alarm = async {
            match nap {
                Some(nap) => sleep(nap).await,
                None => std::future::pending().await,
            }
        };
        input.reserve(READ_BYTES);
        tokio::select! {
            biased;
            () = arrival => Ok(true),
            read = stream.read_buf(input), if reads => Ok(read? > 0),
            () = alarm => Ok(true),
        }
    }

    /// How long nothing happens unless somebody acts.
    fn nap(&self, now: WallClock) -> Option<Duration> {
        let until_time_over = self.session.blocked_until().map(|until| until.since(now));
        let listens = self.session.is_subscribed();
        let until_expiry = self.server.with(|server| {
            (listens && server.notifies_expiry()).then(|| {
                server.next_expiry().map_or(EXPIRY_LOOK, |at| at.since(now).min(EXPIRY_LOOK))
            })
        });
        until_time_over.into_iter().chain(until_expiry).min()
    }
}

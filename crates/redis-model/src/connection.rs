//! A server behind a byte stream.

use std::io;
use std::sync::{Arc, Mutex};

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

/// Serves one connection until the client closes it, sends QUIT or breaks the protocol.
///
/// All commands that have arrived are carried out before their replies are written, in one piece.
/// The clock is read for each command.
///
/// # Cancel safety
///
/// Dropping the future drops the stream: a connection reset. Commands that were carried out stay
/// so, their replies may be lost.
///
/// # Errors
///
/// Those of the stream.
pub async fn serve_connection<S, C>(mut stream: S, server: SharedServer, clock: C) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Fn() -> WallClock,
{
    let mut connection = Connection {
        session: server.with(Server::open_session),
        server,
        parser: RequestParser::new(),
        input: BytesMut::new(),
        output: BytesMut::new(),
    };
    loop {
        connection.input.reserve(READ_BYTES);
        if stream.read_buf(&mut connection.input).await? == 0 {
            return Ok(());
        }
        loop {
            let state = connection.work(&clock);
            stream.write_all(&connection.output).await?;
            connection.output.clear();
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
    /// The input holds no whole request any more.
    Drained,
    /// The replies are to be written first.
    Full,
    /// The replies are to be written, and nothing more.
    Closing,
}

impl Connection {
    /// Carries out what has arrived, until the output is full.
    fn work(&mut self, clock: impl Fn() -> WallClock) -> State {
        while self.output.len() < WRITE_BYTES {
            match self.parser.next_request(&mut self.input) {
                Ok(None) => return State::Drained,
                Ok(Some(words)) => match self.execute(&words, clock()) {
                    Execution::Reply(reply) => encode_reply(&reply, &mut self.output),
                    Execution::Close(reply) => {
                        encode_reply(&reply, &mut self.output);
                        return State::Closing;
                    }
                },
                Err(error) => {
                    encode_reply(&error.reply(), &mut self.output);
                    return State::Closing;
                }
            }
        }
        State::Full
    }

    fn execute(&mut self, words: &[Bytes], now: WallClock) -> Execution {
        let session = &mut self.session;
        self.server.with(|server| server.execute(session, words, now))
    }
}

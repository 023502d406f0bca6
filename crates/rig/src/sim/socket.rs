//! The two ends of a connection that carries bytes, as an operating system gives them.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use lockproof_redis_model::resp::{ProtocolError, RequestParser};
use lockproof_sim::{Shared, once};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::network::{Network, Wire};
use super::redis_server::ModelRedis;
use super::ticket::Waits;
use crate::{Direction, SpokenRequest};

/// What has arrived at either end and was not read yet.
#[derive(Default)]
pub(super) struct Socket {
    inbox: RefCell<Inbox>,
    feed: RefCell<Feed>,
}

/// The holder's end. It fills while the holder stands still, as a socket's buffer does.
#[derive(Default)]
struct Inbox {
    bytes: BytesMut,
    over: Option<Over>,
    reader: Option<Waker>,
}

/// How a connection ended, as the holder's end knows it.
#[derive(Clone, Copy)]
enum Over {
    Closed,
    Reset,
}

/// The server's end.
#[derive(Default)]
struct Feed {
    parser: RequestParser,
    bytes: BytesMut,
}

impl Socket {
    /// The requests that are whole once `bytes` have arrived, and what is wrong with what comes after them.
    pub(super) fn requests(&self, bytes: &[u8]) -> (Vec<Vec<Bytes>>, Option<ProtocolError>) {
        let mut feed = self.feed.borrow_mut();
        let Feed { parser, bytes: unread } = &mut *feed;
        unread.extend_from_slice(bytes);
        let mut requests = Vec::with_capacity(1);
        loop {
            match parser.next_request(unread) {
                Ok(Some(request)) => requests.push(request),
                Ok(None) => return (requests, None),
                Err(error) => return (requests, Some(error)),
            }
        }
    }

    /// Bytes arrive at the holder's end, and with them the end of the connection where the server `closes` it.
    pub(super) fn arrived(&self, bytes: &[u8], closes: bool) {
        let mut inbox = self.inbox();
        inbox.bytes.extend_from_slice(bytes);
        if closes {
            inbox.over.get_or_insert(Over::Closed);
        }
        inbox.tell();
    }

    fn poll_read(&self, context: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inbox = self.inbox();
        if inbox.bytes.is_empty() {
            return match inbox.over {
                Some(Over::Closed) => Poll::Ready(Ok(())),
                Some(Over::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {
                    inbox.wait(context);
                    Poll::Pending
                }
            };
        }
        let count = inbox.bytes.len().min(into.remaining());
        into.put_slice(&inbox.bytes[..count]);
        inbox.bytes.advance(count);
        Poll::Ready(Ok(()))
    }

    fn inbox(&self) -> RefMut<'_, Inbox> {
        self.inbox.borrow_mut()
    }
}

impl Inbox {
    fn wait(&mut self, context: &Context<'_>) {
        if !self.reader.as_ref().is_some_and(|reader| reader.will_wake(context.waker())) {
            self.reader = Some(context.waker().clone());
        }
    }

    /// The reader stays known: one that is woken for nothing looks again.
    fn tell(&self) {
        if let Some(reader) = &self.reader {
            reader.wake_by_ref();
        }
    }
}

impl Waits for Socket {
    fn broken(&self) {
        let mut inbox = self.inbox();
        inbox.over.get_or_insert(Over::Reset);
        inbox.tell();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

/// The holder's end of an open connection, for a client library to read and write.
///
/// What is written has left: it arrives although the holder is paused or killed in the same instant. Dropped, it tells
/// the server that the connection has ended, as an operating system does for a process that died.
///
/// Not [`tokio::io::duplex`] with a task that carries bytes across: that task would be one more in every order that a
/// seed decides, and a pipe knows no reset.
#[derive(Debug)]
pub(super) struct Stream {
    network: Shared<Network>,
    model: Shared<ModelRedis>,
    wire: Shared<Wire>,
    socket: Shared<Socket>,
    has_ended: bool,
}

impl Stream {
    /// A stream over `wire`, which the server has welcomed.
    pub(super) fn new(
        network: Shared<Network>,
        model: Shared<ModelRedis>,
        wire: Shared<Wire>,
    ) -> Self {
        let socket = Shared::new(Socket::default());
        wire.wait(Rc::downgrade(socket.as_rc()) as _);
        Self { network, model, wire, socket, has_ended: false }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.has_ended, true) {
            let (model, wire) = (self.model.clone(), self.wire.clone());
            let arrival = move || model.hang_up(wire.as_rc());
            self.network.send_end(self.wire.as_rc(), once(arrival));
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket.poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    /// Over a connection that broke a moment ago it is lost without a word: the news is still on its way.
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_ended || self.socket.inbox().over.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.network.has_rules() {
            // What the library writes at one time are whole requests, unless they are larger than any of a lock.
            let (requests, _) = Socket::default().requests(bytes);
            for request in &requests {
                let words: Vec<&[u8]> = request.iter().map(AsRef::as_ref).collect();
                self.network.announce(&self.wire, 0, SpokenRequest::Redis(&words));
            }
        }
        let (model, wire, socket) = (self.model.clone(), self.wire.clone(), self.socket.clone());
        let chunk = Bytes::copy_from_slice(bytes);
        let arrival = move || model.as_rc().receive_bytes(wire.as_rc(), socket.as_rc(), &chunk);
        self.network.send(self.wire.as_rc(), Direction::ToServer, once(arrival));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_arrive_in_pieces_and_several_in_one() {
        let socket = Socket::default();
        let pings = b"*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
        for cut in 0..pings.len() {
            let (before, after) = pings.split_at(cut);
            let (mut requests, error) = socket.requests(before);
            assert_eq!(error, None);
            let (rest, error) = socket.requests(after);
            assert_eq!(error, None);
            requests.extend(rest);
            assert_eq!(requests, [vec!["PING"], vec!["GET", "k"]], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_request_is_an_error_after_those_that_came_before_it() {
        let (requests, error) = Socket::default().requests(b"*1\r\n$4\r\nPING\r\n*1\r\nPING\r\n");
        assert_eq!(requests, [vec!["PING"]]);
        assert!(error.is_some());
    }
}

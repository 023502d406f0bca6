//! One listener in front of one server.

use std::io;
use std::net::SocketAddr;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::board::Board;
use crate::connection;
use crate::effect::{Effect, ToxicRecord};
use crate::spec::{ToxicId, ToxicSpec};

/// One listener in front of one server; a link, in the house's words.
///
/// It is cheap: a socket and a task, and per connection one more task, two sockets and 32 KiB. Start one per client and
/// server where faults shall tell clients apart.
///
/// It runs in the tokio runtime that started it. Dropped, it ends: its tasks are aborted, and the sockets close as
/// the runtime gets to it. [`Proxy::shutdown`] also waits for that.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    board: Arc<Board>,
    counts: Arc<Counts>,
    stop: oneshot::Sender<()>,
    /// The one task that accepts, and owns the tasks of the connections.
    acceptor: JoinSet<()>,
}

impl Proxy {
    /// Listens on `listen` (port 0: any free one) and connects each client to `upstream`. What toxics draw, `seed`
    /// decides.
    ///
    /// Whether the server can be reached shows when a client comes: the client is reset when not.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has started nothing.
    pub async fn start(listen: SocketAddr, upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let board = Arc::new(Board::new(seed));
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = oneshot::channel();
        let serving =
            Acceptor { listener, upstream, board: Arc::clone(&board), counts: Arc::clone(&counts) };
        let mut acceptor = JoinSet::new();
        acceptor.spawn(serving.run(stopped));
        Ok(Self { address, board, counts, stop, acceptor })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The instant from which all its offsets count ([`Effect::first`], [`Chunk::at`](crate::Chunk::at), …).
    #[must_use]
    pub fn started(&self) -> Instant {
        self.board.started
    }

    /// Adds a toxic. When this returns, it is in force: each chunk read from now on is shown to it, and so are the
    /// bytes that other toxics keep. (A chunk that was read but not yet written is, too, unless it is on its way
    /// into the socket this very moment.)
    pub fn add_toxic(&self, spec: ToxicSpec) -> ToxicId {
        self.board.add(spec)
    }

    /// Removes a toxic: heals. What only it kept is delivered, in order, and endings it wanted are called off.
    ///
    /// The record is what it did up to now; `None`, if there is no such toxic (any more).
    pub fn remove_toxic(&self, id: ToxicId) -> Option<ToxicRecord> {
        self.board.remove(id)
    }

    /// The toxics in force, in the order in which they were added.
    #[must_use]
    pub fn toxics(&self) -> Vec<ToxicRecord> {
        self.board.records()
    }

    /// What a toxic in force does, as it does it: `effect.wait_for(|effect| effect.bit()).await` waits until it has
    /// bitten. The channel closes some time after the toxic is removed. Do not keep a borrow of it: the toxic's bytes
    /// wait for that.
    #[must_use]
    pub fn effect(&self, id: ToxicId) -> Option<watch::Receiver<Effect>> {
        self.board.effect(id)
    }

    /// The connections so far.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections {
            accepted: self.counts.accepted.load(Ordering::Relaxed),
            open: self.counts.open.load(Ordering::Relaxed),
            unreachable: self.counts.unreachable.load(Ordering::Relaxed),
        }
    }

    /// Ends everything, and returns when each task has ended and each socket is closed.
    ///
    /// # Panics
    ///
    /// When a task of the proxy has panicked, with what it said.
    ///
    /// # Cancel safety
    ///
    /// Dropped, everything still ends, as with a dropped [`Proxy`].
    pub async fn shutdown(self) {
        let Self { stop, mut acceptor, .. } = self;
        drop(stop);
        while let Some(ended) = acceptor.join_next().await {
            raise_panic(ended);
        }
    }
}

/// How many connections a [`Proxy`] has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// All that were accepted.
    pub accepted: u64,
    /// Those that are open, or waiting for the server to answer.
    pub open: u64,
    /// Those that were reset because the server could not be reached.
    pub unreachable: u64,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    open: AtomicU64,
    unreachable: AtomicU64,
}

/// What the accepting task owns.
#[derive(Debug)]
struct Acceptor {
    listener: TcpListener,
    upstream: SocketAddr,
    board: Arc<Board>,
    counts: Arc<Counts>,
}

impl Acceptor {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut connections = JoinSet::new();
        loop {
            select! { biased;
                _ = &mut stopped => break,
                Some(ended) = connections.join_next() => raise_panic(ended),
                accepted = self.listener.accept() => match accepted {
                    Ok((client, _)) => self.serve(client, &mut connections),
                    // The client gave up, or file descriptors ran out: then trying at once would only burn time.
                    Err(_) => sleep_until(Instant::now() + Duration::from_millis(5)).await,
                },
            }
        }
        connections.shutdown().await;
    }

    fn serve(&self, client: TcpStream, connections: &mut JoinSet<()>) {
        let number = self.counts.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        let (upstream, board) = (self.upstream, Arc::clone(&self.board));
        let open = Open::new(&self.counts);
        connections.spawn(async move {
            if connection::serve(client, upstream, &board, number).await.is_err() {
                open.0.unreachable.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Counts a connection as open for as long as it lives, however its task ends.
struct Open(Arc<Counts>);

impl Open {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A panic in one of the tasks is a bug of this crate or of a toxic: it is not to pass for a fault of the network.
fn raise_panic(ended: Result<(), JoinError>) {
    if let Some(panicked) = ended.err().and_then(|error| error.try_into_panic().ok()) {
        panic::resume_unwind(panicked);
    }
}

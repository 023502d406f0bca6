//! One listener in front of one server.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::board::Board;
use crate::connection;
use crate::effect::{Effect, ToxicRecord};
use crate::follow::Protocol;
use crate::spec::{ToxicId, ToxicSpec, Upstream};
use crate::toxic::{Chunk, Cut, Ending, Passage, Recipe, Toxic};

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
    pub async fn start(
        listen: SocketAddr,
        upstream: impl Into<Upstream>,
        seed: u64,
    ) -> io::Result<Self> {
        let (listener, upstream) = (TcpListener::bind(listen).await?, upstream.into());
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

    /// Puts a toxic in the place of another: no byte finds neither of them there.
    pub fn replace_toxic(&self, old: ToxicId, new: ToxicSpec) -> ToxicId {
        self.board.replace(old, new)
    }

    /// Follows what is said on every connection from now on, so that [rules](ToxicSpec::rule) that are added later apply
    /// to it. Connections that are accepted while a rule is there are followed anyway. Once is for good.
    pub fn follow(&self, protocol: Protocol) {
        // Said twice, the first stands: connections are followed in it.
        let _ = self.board.followed.set(protocol);
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
            accepted: self.board.accepted(),
            open: self.counts.open.borrow().len() as u64,
            unreachable: self.counts.unreachable.load(Ordering::Relaxed),
            not_followed: self.board.lost.load(Ordering::Relaxed),
        }
    }

    /// Resets every connection that is open now.
    pub fn reset_connections(&self) -> Resetting {
        let mut open = self.counts.open.subscribe();
        let numbers: Vec<u64> = open.borrow_and_update().iter().copied().collect();
        let toxic = self.add_toxic(ToxicSpec::new(ResetNow).on_open_connections());
        Resetting { board: Arc::clone(&self.board), toxic, open, numbers }
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

/// Connections that are being reset. Dropped, it resets no more of them.
#[derive(Debug)]
pub struct Resetting {
    board: Arc<Board>,
    toxic: ToxicId,
    open: watch::Receiver<BTreeSet<u64>>,
    numbers: Vec<u64>,
}

impl Resetting {
    /// Waits until they have ended; how many of them were reset.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it resets no more of them.
    pub async fn ended(mut self) -> u64 {
        let numbers = std::mem::take(&mut self.numbers);
        // A proxy that is gone has taken them along.
        let _ =
            self.open.wait_for(|open| !numbers.iter().any(|number| open.contains(number))).await;
        self.board.remove(self.toxic).map_or(0, |record| record.effect.reset)
    }
}

impl Drop for Resetting {
    fn drop(&mut self) {
        self.board.remove(self.toxic);
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
    /// Those that were followed until they said something that cannot be; from there on no rule applies to them.
    pub not_followed: u64,
}

#[derive(Debug, Default)]
struct Counts {
    /// By number.
    open: watch::Sender<BTreeSet<u64>>,
    unreachable: AtomicU64,
}

/// Resets a connection as soon as the two meet.
#[derive(Debug)]
struct ResetNow;

impl Recipe for ResetNow {
    fn name(&self) -> &'static str {
        "reset_now"
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Self)
    }
}

impl Toxic for ResetNow {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        Passage::Hold
    }

    fn on_meeting(&mut self) -> Option<Ending> {
        Some(Ending { after: Duration::ZERO, cut: Cut::Reset })
    }
}

/// What the accepting task owns.
#[derive(Debug)]
struct Acceptor {
    listener: TcpListener,
    upstream: Upstream,
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
        let number = self.board.accept();
        let (upstream, board) = (self.upstream.clone(), Arc::clone(&self.board));
        let open = Open::new(&self.counts, number);
        connections.spawn(async move {
            if connection::serve(client, &upstream, &board, number).await.is_err() {
                open.counts.unreachable.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Counts a connection as open for as long as it lives, however its task ends.
struct Open {
    counts: Arc<Counts>,
    number: u64,
}

impl Open {
    fn new(counts: &Arc<Counts>, number: u64) -> Self {
        counts.open.send_modify(|open| {
            open.insert(number);
        });
        Self { counts: Arc::clone(counts), number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counts.open.send_modify(|open| {
            open.remove(&self.number);
        });
    }
}

/// A panic in one of the tasks is a bug of this crate or of a toxic: it is not to pass for a fault of the network.
fn raise_panic(ended: Result<(), JoinError>) {
    if let Some(panicked) = ended.err().and_then(|error| error.try_into_panic().ok()) {
        panic::resume_unwind(panicked);
    }
}

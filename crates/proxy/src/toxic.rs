//! The words between a toxic, which decides, and the pump, which acts.

use std::fmt::{self, Debug};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

/// Decides what happens to the bytes of one connection in one direction.
///
/// One value lives as long as its connection or until it is removed, and may keep state. It must not block and has
/// no clock of its own: [`Chunk::at`] is the time.
pub trait Toxic: Debug + Send {
    /// Answers for one chunk.
    ///
    /// - Chunks are shown in stream order, each once, whatever the other toxics answered.
    /// - The end of the stream is shown too, as an empty chunk ([`Chunk::is_end`]).
    /// - What is answered holds while the toxic is installed: its removal also takes back its earlier answers.
    /// - Bytes that other toxics already keep are shown when this one is installed.
    fn on_chunk(&mut self, chunk: &Chunk<'_>) -> Passage;

    /// How many of the chunk's bytes [`Self::on_chunk`] is to answer for together; the rest is shown as a chunk of its
    /// own. More than there are is all, none is one. The end of a stream is not asked about.
    fn piece(&mut self, chunk: &Chunk<'_>) -> usize {
        chunk.bytes.len()
    }

    /// Answers for the connection itself, once, when the two meet: should it end even if no byte ever comes?
    fn on_meeting(&mut self) -> Option<Ending> {
        None
    }
}

/// A toxic as it is configured: makes one [`Toxic`] per connection and direction.
pub trait Recipe: Debug + Send + Sync + 'static {
    /// The name in the catalog, or any other for a toxic that is not in it.
    fn name(&self) -> &str;

    /// A fresh toxic. All its randomness comes from `rng`, which the proxy's seed, the connection's number, the
    /// direction and the toxic's id decide.
    fn toxic(&self, rng: ChaCha8Rng) -> Box<dyn Toxic>;
}

/// What the toxics are asked about: bytes that were read together, or the end of the stream.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Chunk<'a> {
    /// The bytes; none at the end of the stream.
    pub bytes: &'a [u8],
    /// Which way they go.
    pub direction: Direction,
    /// The connection's number; a proxy counts from 1.
    pub connection: u64,
    /// When they were read, since the proxy started.
    pub at: Duration,
}

impl Chunk<'_> {
    /// Whether this is the end of the stream: the sender half-closed, or is gone.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Debug for Chunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("bytes", &self.bytes.len())
            .field("direction", &self.direction)
            .field("connection", &self.connection)
            .field("at", &self.at)
            .finish()
    }
}

/// A toxic's answer for one chunk. Answers of several toxics add up: delays are summed, any hold holds, and the
/// earliest ending, or the first cut, ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passage {
    /// Not this toxic's business.
    Pass,
    /// Deliver no earlier than this long after the chunk was read. Order is kept: a chunk never overtakes another.
    Delay(Duration),
    /// Deliver when the toxic is removed.
    Hold,
    /// Deliver never: the connection ends. Until then the chunk is held.
    End(Ending),
    /// Deliver never: the connection ends in its place, once all before it is delivered.
    Cut(Cut),
    /// Deliver, and then the connection ends.
    Last(Cut),
}

/// That a connection is to end, and how. It is called off if the toxic is removed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How long from now.
    pub after: Duration,
    /// In which manner.
    pub cut: Cut,
}

/// How a connection ends. Either way both legs end, and bytes still kept go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both sides see the end of the stream (FIN).
    Close,
    /// Both sides see "connection reset by peer" (RST).
    Reset,
}

/// Which way bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the server.
    Upstream,
    /// Towards the client.
    Downstream,
}

impl Direction {
    /// Toxiproxy's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Cut, Ending, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "reset_peer",
    summary: "resets the connection (RST) at the next chunk, which is not delivered",
    attributes: &[Attribute {
        name: "timeout",
        summary: "how long after that chunk to reset; zero: at once",
        default: Value::Millis(Duration::ZERO),
    }],
    make: |given| toxic(ResetPeer { timeout: given.duration("timeout") }),
};

/// Resets the connection (RST on both legs) when the next chunk comes, or `timeout` after it. That chunk, and any
/// after it, is not delivered.
///
/// As with Toxiproxy, it is the chunk that sets it off, so the direction has a meaning: upstream, a request is lost
/// and never ran; downstream, the server did what it was asked and the answer is lost. A connection on which nobody
/// speaks stays open.
#[derive(Clone, Copy, Debug)]
pub struct ResetPeer {
    /// How long after the chunk; zero: at once.
    pub timeout: Duration,
}

impl ResetPeer {
    /// Resets at the chunk.
    #[must_use]
    pub const fn at_once() -> Self {
        Self { timeout: Duration::ZERO }
    }

    /// Resets this long after the chunk.
    #[must_use]
    pub const fn after(timeout: Duration) -> Self {
        Self { timeout }
    }
}

impl Recipe for ResetPeer {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(*self)
    }
}

impl Toxic for ResetPeer {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        Passage::End(Ending { after: self.timeout, cut: Cut::Reset })
    }
}

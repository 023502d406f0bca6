use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Cut, Ending, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "timeout",
    summary: "holds all bytes: a partition; with a timeout, closes the connection after it",
    attributes: &[Attribute {
        name: "timeout",
        summary: "after how long to close the connection; zero: never",
        default: Value::Millis(Duration::ZERO),
    }],
    make: |given| toxic(Timeout { timeout: given.duration("timeout") }),
};

/// Holds all bytes, and ends of streams, while it is installed: a partition. With a non-zero `timeout` it closes the
/// connection that long after the two met.
///
/// New connections are accepted, and the upstream is dialled, as ever; then their bytes are held. To a client this
/// looks like a link that went dead just after the handshake.
///
/// Unlike Toxiproxy's, it keeps the bytes instead of dropping them, and delivers them when it is removed: a real
/// partition that heals delivers them as well, by retransmission, and a stream with a hole in it is a fault that TCP
/// does not have. Also unlike Toxiproxy's, chunks do not start the timeout anew, and removal closes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    /// After how long to close the connection; zero: never.
    pub timeout: Duration,
}

impl Timeout {
    /// Holds until it is removed.
    #[must_use]
    pub const fn forever() -> Self {
        Self { timeout: Duration::ZERO }
    }

    /// Closes the connection after this long.
    #[must_use]
    pub const fn after(timeout: Duration) -> Self {
        Self { timeout }
    }
}

impl Recipe for Timeout {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(*self)
    }
}

impl Toxic for Timeout {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        Passage::Hold
    }

    fn on_meeting(&mut self) -> Option<Ending> {
        let closes = !self.timeout.is_zero();
        closes.then_some(Ending { after: self.timeout, cut: Cut::Close })
    }
}

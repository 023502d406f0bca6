use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "slow_close",
    summary: "delays the end of the stream",
    attributes: &[Attribute {
        name: "delay",
        summary: "by how much",
        default: Value::Millis(Duration::ZERO),
    }],
    make: |given| toxic(SlowClose { delay: given.duration("delay") }),
};

/// Delays the end of a stream: the other side learns later that this one has closed. Bytes pass.
///
/// A connection that breaks instead of closing is delayed as well.
#[derive(Clone, Copy, Debug)]
pub struct SlowClose {
    /// By how much.
    pub delay: Duration,
}

impl Recipe for SlowClose {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(*self)
    }
}

impl Toxic for SlowClose {
    fn on_chunk(&mut self, chunk: &Chunk<'_>) -> Passage {
        if chunk.is_end() { Passage::Delay(self.delay) } else { Passage::Pass }
    }
}

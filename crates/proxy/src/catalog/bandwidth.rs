use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "bandwidth",
    summary: "lets so many kilobytes through in a second",
    attributes: &[Attribute {
        name: "rate",
        summary: "KB/s, a KB being 1000 bytes; zero: as many as come",
        default: Value::Count(0),
    }],
    make: |given| toxic(Bandwidth { rate_kb_per_s: given.count("rate") }),
};

/// A chunk arrives at once as a whole; it is cut so small that it stands for this much time at most.
const PIECE: Duration = Duration::from_millis(100);

/// Lets bytes through at a rate: each arrives when all before it have gone through, as over a thin line.
///
/// A line that was idle has saved nothing up. As with Toxiproxy, what is worth more than 100 ms arrives in pieces of
/// 100 ms. With little bandwidth a direction soon keeps [`KEPT_LIMIT`](crate::KEPT_LIMIT), and then its sender feels it.
#[derive(Clone, Copy, Debug)]
pub struct Bandwidth {
    /// Thousands of bytes in a second, of each direction and connection; zero: no limit.
    pub rate_kb_per_s: u64,
}

impl Recipe for Bandwidth {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Line { bytes_per_ms: self.rate_kb_per_s, free_at: Duration::ZERO })
    }
}

#[derive(Debug)]
struct Line {
    /// Which is the same as thousands in a second.
    bytes_per_ms: u64,
    /// When what was read so far has gone through.
    free_at: Duration,
}

impl Toxic for Line {
    fn piece(&mut self, _: &Chunk<'_>) -> usize {
        let pieces_ms = u64::try_from(PIECE.as_millis()).unwrap_or(u64::MAX);
        match self.bytes_per_ms {
            0 => usize::MAX,
            rate => usize::try_from(rate.saturating_mul(pieces_ms)).unwrap_or(usize::MAX),
        }
    }

    fn on_chunk(&mut self, chunk: &Chunk<'_>) -> Passage {
        if self.bytes_per_ms == 0 {
            return Passage::Pass;
        }
        let bytes = chunk.bytes.len() as u64;
        let takes = Duration::from_nanos(bytes.saturating_mul(1_000_000) / self.bytes_per_ms);
        self.free_at = self.free_at.max(chunk.at).saturating_add(takes);
        Passage::Delay(self.free_at.saturating_sub(chunk.at))
    }
}

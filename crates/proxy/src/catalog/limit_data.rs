use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Cut, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "limit_data",
    summary: "closes the connection after so many bytes",
    attributes: &[Attribute {
        name: "bytes",
        summary: "how many are delivered; zero: none",
        default: Value::Count(0),
    }],
    make: |given| toxic(LimitData { bytes: given.count("bytes") }),
};

/// Delivers so many bytes of a stream, counted from when the two meet, and closes the connection then. What comes after
/// them is never delivered.
#[derive(Clone, Copy, Debug)]
pub struct LimitData {
    /// So many, of each direction and connection.
    pub bytes: u64,
}

impl Recipe for LimitData {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Left(self.bytes))
    }
}

/// So many bytes may still pass.
#[derive(Debug)]
struct Left(u64);

impl Toxic for Left {
    fn piece(&mut self, _: &Chunk<'_>) -> usize {
        match self.0 {
            0 => usize::MAX,
            left => usize::try_from(left).unwrap_or(usize::MAX),
        }
    }

    fn on_chunk(&mut self, chunk: &Chunk<'_>) -> Passage {
        if chunk.is_end() {
            return Passage::Pass;
        }
        if self.0 == 0 {
            return Passage::Cut(Cut::Close);
        }
        self.0 = self.0.saturating_sub(chunk.bytes.len() as u64);
        if self.0 == 0 { Passage::Last(Cut::Close) } else { Passage::Pass }
    }
}

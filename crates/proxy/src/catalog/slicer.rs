use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Attribute, AttributeError, Entry, Value, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "slicer",
    summary: "cuts the stream into small pieces, with a delay after each",
    attributes: &[
        Attribute {
            name: "average_size",
            summary: "bytes of a piece; zero: it is not cut",
            default: Value::Count(0),
        },
        Attribute {
            name: "size_variation",
            summary: "by how many bytes more or fewer; less than average_size",
            default: Value::Count(0),
        },
        Attribute {
            name: "delay",
            summary: "how long after a piece the next one goes, in microseconds",
            default: Value::Micros(Duration::ZERO),
        },
    ],
    make: |given| {
        let (average, variation) = (given.count("average_size"), given.count("size_variation"));
        if variation > 0 && variation >= average {
            let what = "has to be less than `average_size`";
            return Err(AttributeError::wrong(given.toxic(), "size_variation", what));
        }
        let delay = given.duration("delay");
        toxic(Slicer { average_size: average, size_variation: variation, delay })
    },
};

/// Cuts a stream into pieces, each of which is written by itself, with a delay after it.
///
/// The sizes of pieces are drawn evenly (Toxiproxy halves chunks until they are small enough, which gives sizes down to
/// half the average). The live timer ticks in milliseconds: a piece goes at the tick after it is due, so shorter delays
/// hold on average, not each.
#[derive(Clone, Copy, Debug)]
pub struct Slicer {
    /// Bytes of a piece; zero: nothing is cut.
    pub average_size: u64,
    /// By how many bytes more or fewer.
    pub size_variation: u64,
    /// How long after a piece the next one goes.
    pub delay: Duration,
}

impl Recipe for Slicer {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, rng: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Slicing { slicer: *self, rng, next_at: Duration::ZERO })
    }
}

#[derive(Debug)]
struct Slicing {
    slicer: Slicer,
    rng: ChaCha8Rng,
    /// When the next piece may go.
    next_at: Duration,
}

impl Toxic for Slicing {
    fn piece(&mut self, _: &Chunk<'_>) -> usize {
        let Slicer { average_size, size_variation, .. } = self.slicer;
        if average_size == 0 {
            return usize::MAX;
        }
        let (least, most) = (
            average_size.saturating_sub(size_variation),
            average_size.saturating_add(size_variation),
        );
        usize::try_from(self.rng.random_range(least..=most)).unwrap_or(usize::MAX)
    }

    fn on_chunk(&mut self, chunk: &Chunk<'_>) -> Passage {
        let goes_at = self.next_at.max(chunk.at);
        self.next_at = goes_at.saturating_add(self.slicer.delay);
        Passage::Delay(goes_at - chunk.at)
    }
}

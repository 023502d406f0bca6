use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Attribute, Entry, Value, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "latency",
    summary: "delays every chunk, counted from its arrival",
    attributes: &[
        Attribute { name: "latency", summary: "the delay", default: Value::Millis(Duration::ZERO) },
        Attribute {
            name: "jitter",
            summary: "by how much a chunk's delay may be shorter or longer",
            default: Value::Millis(Duration::ZERO),
        },
    ],
    make: |given| {
        toxic(Latency { latency: given.duration("latency"), jitter: given.duration("jitter") })
    },
};

/// Delays every chunk by `latency` ± `jitter`, drawn evenly, counted from its arrival: like a longer cable.
///
/// Chunks in flight do not wait for each other's delay, only for their turn: jitter never reorders a stream, so a
/// chunk drawn shorter than the one before it arrives together with that one. Installed for both directions, a
/// round trip takes it twice.
///
/// The live timer ticks in milliseconds: a delay is rounded up to the next, never down. A direction that keeps
/// [`KEPT_LIMIT`](crate::KEPT_LIMIT) stops reading, so its throughput is at most that much per `latency`.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// The delay.
    pub latency: Duration,
    /// By how much a chunk's delay may be shorter (but not below zero) or longer.
    pub jitter: Duration,
}

impl Latency {
    /// The same delay for every chunk.
    #[must_use]
    pub const fn new(latency: Duration) -> Self {
        Self { latency, jitter: Duration::ZERO }
    }

    /// This delay, with jitter.
    #[must_use]
    pub const fn with_jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }
}

impl Recipe for Latency {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, rng: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Delaying { latency: *self, rng })
    }
}

#[derive(Debug)]
struct Delaying {
    latency: Latency,
    rng: ChaCha8Rng,
}

impl Toxic for Delaying {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        let Latency { latency, jitter } = self.latency;
        let shortest = latency.saturating_sub(jitter);
        let longest = latency.saturating_add(jitter);
        Passage::Delay(self.rng.random_range(shortest..=longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;
    use crate::toxic::Direction;

    fn delays(latency: Latency, seed: u64) -> Vec<Duration> {
        let mut toxic = latency.toxic(seed::rng(seed, 1, 1, Some(Direction::Upstream)));
        let chunk = Chunk {
            bytes: b"x",
            direction: Direction::Upstream,
            connection: 1,
            at: Duration::ZERO,
        };
        let delay = |passage| match passage {
            Passage::Delay(delay) => delay,
            other => panic!("latency answered {other:?}"),
        };
        (0..200).map(|_| delay(toxic.on_chunk(&chunk))).collect()
    }

    #[test]
    fn jitter_stays_within_its_bounds_on_both_sides() {
        let latency = Latency::new(Duration::from_millis(10)).with_jitter(Duration::from_millis(4));
        let delays = delays(latency, 7);
        assert!(delays.iter().all(|d| (6..=14).contains(&d.as_millis())), "{delays:?}");
        assert!(delays.iter().any(|d| *d < latency.latency), "never shorter");
        assert!(delays.iter().any(|d| *d > latency.latency), "never longer");
    }

    #[test]
    fn a_seed_decides_the_jitter() {
        let latency = Latency::new(Duration::from_millis(3)).with_jitter(Duration::from_millis(9));
        assert_eq!(delays(latency, 1), delays(latency, 1));
        assert_ne!(delays(latency, 1), delays(latency, 2));
    }
}

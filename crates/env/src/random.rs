//! Seeded randomness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockproof_model::fnv1a;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

/// A stream of randomness that a seed decides.
///
/// xoshiro256++: the same stream on every platform and in every release, so that a seed in an old report still means
/// what it meant. Its state is four words, and every holder of a schedule has one; nothing drawn here is a secret.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
    generator: Arc<Mutex<Xoshiro256PlusPlus>>,
}

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, generator: Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(seed))) }
    }

    /// The stream of this one's seed and `label`, independent of what was drawn so far: adding a draw
    /// in one place must not shift the randomness of every other.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        // FNV-1a over the seed and the label; the generator's own seeding does the mixing.
        Self::new(fnv1a(self.seed.to_le_bytes().into_iter().chain(label.bytes())))
    }

    /// 64 random bits.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.generator().next_u64()
    }

    /// 128 random bits.
    #[must_use]
    pub fn wide_bits(&self) -> u128 {
        let mut generator = self.generator();
        (u128::from(generator.next_u64()) << 64) | u128::from(generator.next_u64())
    }

    /// Uniform in `0.0..1.0`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub fn unit(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..=longest`, to the nanosecond.
    #[must_use]
    pub fn up_to(&self, longest: Duration) -> Duration {
        scaled(self.bits(), longest)
    }

    /// The same stream from its begin, for whoever draws alone and often: nothing is locked.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream(Xoshiro256PlusPlus::seed_from_u64(self.seed))
    }

    fn generator(&self) -> MutexGuard<'_, Xoshiro256PlusPlus> {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream of randomness of one owner.
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0..=longest`, to the nanosecond.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        scaled(self.bits(), longest)
    }
}

fn scaled(bits: u64, longest: Duration) -> Duration {
    let bound = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
    // Widening multiplication: the bias is below 2⁻⁶⁴ × bound, far under what a run can show.
    let nanos = (u128::from(bits) * u128::from(bound)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_before_it() {
        let drawn = Random::new(7);
        let _ = drawn.bits();
        assert_eq!(Random::new(7).fork("a").bits(), drawn.fork("a").bits());
        assert_ne!(drawn.fork("a").bits(), drawn.fork("b").bits());
        assert_ne!(Random::new(7).fork("a").bits(), Random::new(8).fork("a").bits());
    }

    #[test]
    fn a_stream_of_one_owner_is_the_same_stream() {
        let random = Random::new(3);
        let mut stream = random.stream();
        let drawn: Vec<_> = (0..9).map(|_| random.bits()).collect();
        assert_eq!((0..9).map(|_| stream.bits()).collect::<Vec<_>>(), drawn);
    }

    #[test]
    fn a_duration_stays_within_its_bound_and_reaches_both_ends() {
        let random = Random::new(1);
        let drawn: Vec<_> = (0..200).map(|_| random.up_to(Duration::from_nanos(3))).collect();
        assert!(drawn.iter().all(|d| d.as_nanos() <= 3));
        assert!(drawn.iter().any(|d| d.is_zero()) && drawn.iter().any(|d| d.as_nanos() == 3));
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
    }
}

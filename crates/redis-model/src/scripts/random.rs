//! The generator behind `math.random`, the same as in Redis: the 48-bit one of POSIX.

use std::sync::atomic::{AtomicU64, Ordering};

const MASK: u64 = (1 << 48) - 1;
const MAX: u64 = i32::MAX as u64;

/// One generator for each server, going on from script to script: two runs of the same commands get
/// the same numbers, two scripts in one run do not.
#[derive(Debug)]
pub(super) struct Random(AtomicU64);

impl Random {
    /// As `srand48` does it.
    pub(super) const fn new(seed: u32) -> Self {
        Self(AtomicU64::new(state_of(seed)))
    }

    pub(super) fn seed(&self, seed: u32) {
        self.0.store(state_of(seed), Ordering::Relaxed);
    }

    /// From 0 to 1, 1 excluded.
    pub(super) fn next(&self) -> f64 {
        let state = self.0.load(Ordering::Relaxed);
        let next = state.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & MASK;
        self.0.store(next, Ordering::Relaxed);
        let number = u32::try_from((next >> 17) % MAX).unwrap_or(0);
        f64::from(number) / f64::from(i32::MAX)
    }
}

const fn state_of(seed: u32) -> u64 {
    (seed as u64) << 16 | 0x330E
}

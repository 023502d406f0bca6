//! Bugs on purpose: what a suite, a checker or a run that accepts one of these cannot be trusted with.

mod guards;
mod locks;

pub use guards::{EARLY_COMMIT, GUARDS, PlantedGuard, UNLOCKED_FENCE};
pub use locks::{IMMORTAL, LOCKS, NO_EXCLUSION, PlantedLock, REPEATED_TOKENS};

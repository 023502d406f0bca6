//! Bugs on purpose: what a suite, a checker or a run that accepts one of these cannot be trusted with.

mod flows;
mod guards;
mod locks;
mod redlock;

pub use flows::RETRIES_UNKNOWN_COMMIT;
pub use guards::BLIND_VERSION;
pub use locks::{IMMORTAL, LOCKS, NO_EXCLUSION, PlantedLock, REPEATED_TOKENS};
pub use redlock::LITTERING_REDLOCK;

//! Time, randomness and spawning as one small handle.
//!
//! Locks, bookings and workloads take these three from an [`Env`] and from nowhere else. Live, an `Env`
//! is tokio and the operating system ([`live`]); simulated, it is the run's virtual clock and seed. Code
//! written against it notices no difference, which is what lets one lock file serve both worlds.
//!
//! What a holder spawns lands in the holder's own [`Group`], so that a fault that pauses the holder
//! reaches what it spawned.

mod alarm;
mod env;
mod group;
mod latch;
pub mod live;
mod random;
mod task;

pub use alarm::Alarm;
pub use env::{Elapsed, Env, Runtime};
pub use group::{Gated, Group};
pub use latch::Latch;
pub use random::{Random, Stream};
pub use task::{Stopped, Task};

//! Ways to be alone.
//!
//! A [`Lock`] is a value per configured backend, a [`LockSession`] what one holder keeps open to it. Each way
//! of locking is one file under `catalog/` that reads as its algorithm; what all of them need (drawing
//! claims, waiting with jitter, judging validity, cleaning up after unknown answers) is the [`Driver`]'s,
//! once, so that locks compare fairly.
//!
//! ```text
//!   Driver ──claim──▶ AnySession ──▶ catalog/redis_set_nx.rs ──▶ RedisLink ──▶ Backends (the rig's, or yours)
//!      │                                   an algorithm            one server      dials
//!      └─ after an unknown answer: withdraw by owner value, surviving the caller's cancellation
//! ```
//!
//! **Three outcomes.** Granted and held are answers. An error is *indefinite* unless the code can prove that
//! the request never took effect ([`Certainty`]); `?` never turns "nobody knows" into "no".
//!
//! **Architecture invariant:** this code does not know that it is tested. It names no fault, no scenario
//! and no simulator, and can be lifted into any program that implements [`Backends`].

mod any;
mod backends;
mod catalog;
mod driver;
mod error;
mod fan_out;
mod lock;
mod redis_link;
mod scripts;
mod settings;
mod withdrawal;

pub use any::{AnyLock, AnySession};
pub use backends::{Backends, RedisConnection};
pub use catalog::{ENTRIES, LockEntry, Needs, Tokens, find};
pub use driver::{Acquisition, Driver, Policy, Wait};
pub use error::{LockError, Result};
pub use lock::{Acquired, Lock, LockSession, Released, Renewed};
pub use lockproof_model::Certainty;
pub use settings::{Drift, LockSettings};

//! The simulated world: model servers, virtual links and holders on a virtual clock.
//!
//! ```text
//!   lock ── redis::aio::ConnectionLike ──▶ network ──▶ redis-model, with a clock of its own
//!   guard ── Connection ─────────────────▶ network ──▶ the model database
//! ```
//!
//! A message is a whole request or reply: it is delayed, held, lost or reset as one. With [`RedisDriver::Library`] it is
//! a chunk of bytes instead, since the unmodified client library then stands between the locks and the network. What was sent arrives although
//! its sender was paused or dropped meanwhile; that is what makes a lost answer different from a lost request.

mod answer;
mod backends;
mod clock;
mod database;
mod database_faults;
mod exchange;
mod limits;
mod network;
mod pool;
mod redis_server;
mod rig;
mod rules;
mod socket;
mod ticket;
mod wire;

pub use rig::{RedisDriver, SimRig};

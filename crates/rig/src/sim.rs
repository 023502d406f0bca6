//! The simulated world: model servers, virtual links and holders on a virtual clock.
//!
//! ```text
//!   lock ── redis::aio::ConnectionLike ──▶ network ──▶ redis-model, with a clock of its own
//!   guard ── Connection ─────────────────▶ network ──▶ the model database
//! ```
//!
//! A message is a whole request or reply: it is delayed, held, lost or reset as one. What was sent arrives although
//! its sender was paused or dropped meanwhile; that is what makes a lost answer different from a lost request.

mod backends;
mod database;
mod network;
mod pool;
mod redis_server;
mod rig;
mod ticket;

pub use rig::SimRig;

//! An in-process Redis 7.0, for the simulated world and for the embedded default.
//!
//! The core is synchronous: [`Server::execute`] takes a [`Session`], one command and the server's
//! own idea of the time, and answers. Direct calls in virtual time and RESP over a byte stream
//! ([`serve_connection`]) go through the same door, so that a lock proven on one runs the same code
//! on the other.
//!
//! # Invariants
//!
//! - No clock is read and nothing is random: the same commands at the same [`WallClock`] readings give
//!   the same replies, byte for byte.
//! - Expiry follows the wall clock, as in Redis: when the clock jumps, leases get longer or shorter.
//! - What a client may send is bounded, and what a script may use is bounded ([`ScriptLimits`]): bad
//!   bytes end in an error reply and a closed connection, never in a panic.
//! - Words matter: error texts are those of Redis 7.0.15, since client libraries parse them.
//!
//! # What is absent
//!
//! Persistence, replication (WAIT counts the replicas that the rig says), streams, and the commands that no lock
//! is made of. They answer as unknown commands, so that a lock that needs one fails loudly. What is
//! there and differs is listed in `DIFFERENCES.md`.

mod accept;
mod channels;
mod clock;
mod commands;
mod connection;
mod core;
mod glob;
mod keyspace;
mod mailbox;
mod number;
mod reply;
pub mod resp;
mod scripts;
mod server;
mod session;
mod settings;
mod value;
mod waiters;
mod watches;

pub use accept::serve;
pub use clock::WallClock;
pub use connection::{SharedServer, serve_connection, serve_connection_with};
pub use reply::{Protocol, Reply};
pub use server::{Execution, Options, ScriptLimits, Server};
pub use session::Session;

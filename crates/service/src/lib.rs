//! A booking service over the locks and guards of this house: the HTTP API that scenarios drive.
//!
//! ```text
//!   request ─▶ server (limits) ─▶ routes/… ─▶ Locks ──── crates/locks: the catalog's lock, its driver, Inspect
//!                                    │
//!                                    ├──────▶ Store ──── crates/bookings: the catalog's guard over pooled connections,
//!                                    │                   and the service's own tables in the same transaction
//!                                    └──────▶ idempotency, ledger (reservation log), metrics
//! ```
//!
//! What is locked how, and how a write is guarded, is not decided here: a lock and a guard are taken from their catalogs by
//! name. This is the application around them: slots by name, customers, an inventory, states of requests.
//!
//! **A client's fault is never a 500, and a lost backend is a 503 with `Retry-After`.** A request that has begun is carried
//! out to its end, whether or not its client still listens: what is half done is undone by nobody else.
//!
//! What is absent: payments, accounts, transactions across databases. One process may be one of several on the same
//! servers: nothing that decides anything is kept in memory.

mod answer;
mod app;
mod backends;
mod config;
mod fields;
mod idempotency;
mod jobs;
mod ledger;
mod locks;
mod metrics;
mod openapi;
mod routes;
mod server;
mod slot;
mod store;

pub use app::{App, StartError};
pub use config::{Config, ConfigError, VARIABLES, Variable};
pub use ledger::{Reservations, reservations};
pub use openapi::document;
pub use routes::router;
pub use server::serve;

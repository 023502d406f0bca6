//! The model against a real PostgreSQL: the same interleavings, the same answers, waits, refusals and tables.
//!
//! `anomalies` tells the classical ones by name, each on the model and on a server; `random` makes interleavings up.
//! What is allowed to differ is in `DIFFERENCES.md`, and in `compare.rs`.
//!
//! A server is named by `LOCKPROOF_TEST_POSTGRES_URL`; its user must be allowed to set `deadlock_timeout`.

mod anomalies;
mod compare;
mod generate;
mod model;
mod random;
mod script;
mod server;
mod stories;

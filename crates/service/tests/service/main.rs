//! The contract, row by row, over real sockets: on what is embedded, and on a redis-server and the
//! Postgres that `LOCKPROOF_TEST_POSTGRES_URL` names.

#![expect(clippy::unwrap_used, reason = "all of it is tests, helpers too")]

mod bad_input;
mod bookings;
mod document;
mod guards;
mod limits;
mod locks;
mod shop;

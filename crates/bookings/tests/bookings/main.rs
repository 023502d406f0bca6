//! Interleavings of bookings, stepped by hand: each test decides the order, none leaves it to luck.
//!
//! Each runs on `SQLite` and on the model database, and on `PostgreSQL` where `LOCKPROOF_TEST_POSTGRES_URL` names a server whose
//! database the tests may make schemas in, and on MariaDB where `LOCKPROOF_TEST_MARIADB_URL` names one.

#![expect(clippy::unwrap_used, reason = "all of it is tests, helpers too")]

mod abandoned;
mod aborts;
mod buyers;
mod engines;
mod interrupted;
mod missing_rows;
mod model;
mod refusals;
mod schedules;
mod server;
mod sqlite;
mod waiting;

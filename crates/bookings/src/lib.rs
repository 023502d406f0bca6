//! Bookings: tables, transactions, and the guards that protect a write.
//!
//! Two ideas meet here and are kept apart, so that they add instead of multiplying:
//!
//! * a [`Guard`] is an algorithm (one file each under `catalog/`), written against …
//! * … a [`Connection`], one holder's own database connection as a handful of primitives (one file tree
//!   per engine: [`SqliteStore`], [`PostgresStore`], [`MariadbStore`], and for the simulated world [`ModelStore`]).
//!
//! A [`BookingSession`] joins the two and is what a workload drives, step by step: `begin`, `check`,
//! `insert`, `commit`. A [`BookingStore`] makes the tables before a run and is the judge after it.
//!
//! **Architecture invariant:** nothing here knows that it is tested, and no statement is ever sent twice
//! by itself. A refusal is an answer; an error says whether the booking may stand all the same
//! ([`Certainty`]).

pub mod catalog;
mod columns;
mod error;
mod foreign;
pub mod guard;
mod lock_connection;
mod mariadb;
mod model_store;
mod postgres;
mod session;
mod sql;
mod sqlite;
mod store;

pub use error::{BookingError, Result};
pub use foreign::{ForeignDatabase, ForeignRow};
pub use guard::{Checked, Guard, Inserted, Request, Seen};
pub use lock_connection::LockConnection;
pub use lockproof_model::Certainty;
pub use mariadb::{Dialled as MariadbDialled, MariadbAddress, MariadbStore, MariadbUrlError};
pub use model_store::{Direct, DirectSession, ModelStore, NoAnswer, Reply, Wire, WireSession};
pub use postgres::{
    Dialled, PostgresAddress, PostgresDialError, PostgresStore, PostgresUrlError, SchemaName,
    TlsError,
};
pub use session::{BookingSession, Committed};
pub use sql::{SqlConnection, SqlRow, SqlStore, SqlValue};
pub use sqlite::SqliteStore;
pub use store::{
    BookingStore, Bumped, Connection, Constraints, InsertedRow, Layout, NewBooking, Raised,
    Reserved, RowLock, SlotState, TransactionMode, TryLock,
};

//! An in-process PostgreSQL 15, as far as a booking needs one, for the simulated world.
//!
//! The boundary is that of a `BookingStore`: two tables, slots and bookings, and the handful of [`Statement`]s that
//! guards are made of, with a few more by which the classical anomalies can be shown. The core is synchronous:
//! [`Database::execute`] takes a session and a statement, and answers or says that it waits; what another
//! statement has let go on is among [`Database::take_woken`].
//!
//! ```text
//!   execute(A, lock slot 1)  ─▶ Done(Slot)
//!   execute(B, lock slot 1)  ─▶ Blocked ┐
//!   execute(A, commit)       ─▶ Done    └─▶ take_woken: [(B, Slot)]
//! ```
//!
//! # What is modelled, and after what
//!
//! - **Isolation** as the documentation's chapter 13.2 has it: a snapshot per statement at READ COMMITTED, where a
//!   writer that had to wait looks at the newest version again; one per transaction above, where it fails instead.
//! - **Row locks** (13.3.2) and who waits for them: the first in the row's queue waits for the transaction that has
//!   the row, the others wait in line behind it (`src/backend/access/heap/README.tuplock`). A holder's own change
//!   from FOR SHARE to more does not queue, and new sharers pass those who wait for more.
//! - **The unique index** on (slot, span, unit) waits for whoever writes or deletes the same key, whatever its snapshot.
//! - **The exclusion constraint** on overlapping spans is looked at with the row in its index: two that write at one
//!   time wait for each other, and one of them is a deadlock's victim.
//! - **Locks on bookings** (`FOR UPDATE`) keep those that are there from others who lock or delete them, and nothing else.
//! - **Advisory locks** (13.3.5) of session and transaction scope.
//! - **Leases**, rows that say who has a lock and until when, by the time that the database was last told.
//! - **Deadlocks** (13.3.4): refused to the session whose waiting closes the circle. A server looks for circles
//!   `deadlock_timeout` after a wait began, so this is what it does too, unless two of them begin within that time.
//! - **SERIALIZABLE** by rw-antidependencies: Cahill, Röhm and Fekete (SIGMOD 2008), as PostgreSQL has it, Ports and
//!   Grittner (VLDB 2012), `src/backend/storage/lmgr/predicate.c`. See [`PredicateLocks`].
//! - **A client that goes away** ([`Database::disconnect`]) is noticed once the statement that it had sent is over, as
//!   by a server that is not told to look more often (`client_connection_check_interval`).
//!
//! # Invariants
//!
//! - No clock is read, nothing is random and nobody is waited for: the same calls give the same answers.
//! - It is never in between: when `execute` returns, every statement is over or waits for one that is not.
//! - It is held against a real server: `tests/fidelity`, and what differs is in `DIFFERENCES.md`.

mod advisory;
mod answer;
mod booking_locks;
mod bookings;
mod database;
mod keys;
mod layout;
mod leases;
mod ledger;
mod serializable;
mod session;
mod slots;
mod statement;
mod transaction;
mod updates;
mod waits;

pub use answer::{Answer, Executed, SqlError};
pub use database::Database;
pub use layout::{Layout, PredicateLocks};
pub use session::SessionId;
pub use statement::{AdvisoryScope, BookingValues, Isolation, LeaseStatement, SlotLock, Statement};

//! `GET_LOCK(name, 0)` in a session of the lock's own, `RELEASE_LOCK(name)` in the same one.
//!
//! How a lock of a session is used, and what it cannot do, is said in `session_lock.rs`. Names are the whole server's, so
//! that the run's database is part of each; since MariaDB 10.0.2 and `MySQL` 5.7 a session may have several, and one of them
//! several times.
//!
//! <https://mariadb.com/kb/en/get_lock/>

use super::pg_advisory_session::NO_TOKENS;
use super::{LockEntry, Needs};
use crate::session_lock::SessionLock;
use crate::{AnyLock, InDatabase};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "mysql-get-lock",
    summary: "GET_LOCK in a session of the holder's own, for as long as that lasts",
    needs: Needs::Database(InDatabase::NamedLocks),
    tokens: NO_TOKENS,
    renews: false,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(SessionLock::new(settings, backends, env, ToOwned::to_owned))
    },
};

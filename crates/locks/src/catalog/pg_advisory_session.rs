//! `pg_try_advisory_lock(key)` in a session of the lock's own, `pg_advisory_unlock(key)` in the same one.
//!
//! How a lock of a session is used, and what it cannot do, is said in `session_lock.rs`. The key is of 64 bits, made of the
//! schema and of the lock's whole name: with fewer, two names meet (failure mode F48, `pg-advisory-short-key`). The session
//! must be one, and its own: not whichever a pooler takes (F46, `pg-advisory-pooled`), nor one that another task holds
//! locks in (F47, `pg-advisory-shared-session`).
//!
//! <https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS>

use super::{LockEntry, Needs, Tokens};
use crate::session_lock::SessionLock;
use crate::{AnyLock, InDatabase};

pub(super) const NO_TOKENS: Tokens =
    Tokens::None("a lock of a session has neither a counter nor an end to count");

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "pg-advisory-session",
    summary: "pg_try_advisory_lock in a session of the holder's own, for as long as that lasts",
    needs: Needs::Database(InDatabase::AdvisoryLocks),
    tokens: NO_TOKENS,
    renews: false,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(SessionLock::new(settings, backends, env, ToOwned::to_owned))
    },
};

//! A control: an application whose tasks take their advisory locks in one session that they share (failure mode F47).
//!
//! An advisory lock is the session's, which takes it once more when it is asked again: every task is told *true*.

use super::pg_advisory_pooled::Pooled;
use super::pg_advisory_session::NO_TOKENS;
use super::{LockEntry, Needs};
use crate::{AnyLock, InDatabase};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "pg-advisory-shared-session",
    summary: "session advisory locks of all holders in one session",
    needs: Needs::Database(InDatabase::AdvisoryLocks),
    tokens: NO_TOKENS,
    renews: false,
    control: Some("a session takes its own lock again, for whichever holder asks (F47)"),
    build: |settings, backends, env| AnyLock::new(Pooled::new(1, settings, backends, env)),
};

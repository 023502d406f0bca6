//! A control: the advisory key is a hash of few bits (failure mode F48).
//!
//! `pg-advisory-session` otherwise. Slots that have nothing to do with each other share a key, so that who books the one
//! keeps everybody from the other. Of 32 bits, as `hashtext` gives them, it takes tens of thousands of names for two to
//! meet; here there are four keys, and five slots will do.

use lockproof_model::fnv1a;

use super::pg_advisory_session::NO_TOKENS;
use super::{LockEntry, Needs};
use crate::session_lock::SessionLock;
use crate::{AnyLock, InDatabase};

const KEYS: u64 = 4;

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "pg-advisory-short-key",
    summary: "pg-advisory-session with a key of two bits",
    needs: Needs::Database(InDatabase::AdvisoryLocks),
    tokens: NO_TOKENS,
    renews: false,
    control: Some("names that share a key keep each other waiting (F48)"),
    build: |settings, backends, env| {
        let naming = |name: &str| (fnv1a(name.bytes()) % KEYS).to_string();
        AnyLock::new(SessionLock::new(settings, backends, env, naming))
    },
};

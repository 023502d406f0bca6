//! A control: Redlock that leaves the keys of an acquire that failed (failure mode F21).
//!
//! What a minority has granted, or a majority too late, keeps the next quorum out until its TTL ends, for nobody's sake.
//! Step 5, the release on every server, is what is left out; everything else is [`redlock`](super::redlock)'s.

use super::redlock::{FailedAcquire, Habits, Redlock};
use super::{LockEntry, Needs, Tokens};
use crate::AnyLock;

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redlock-no-cleanup",
    summary: "a majority of N independent Redis servers; what a failed acquire has taken is left to the TTL",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None(
        "the largest of several servers' counters is not monotonic across quorums",
    ),
    renews: true,
    control: Some("an acquire that misses its quorum leaves its keys behind (F21)"),
    build: |settings, backends, env| {
        let habits = Habits { failed_acquire: FailedAcquire::LeavesAll, ..Habits::default() };
        AnyLock::new(Redlock { settings, backends, env, habits })
    },
};

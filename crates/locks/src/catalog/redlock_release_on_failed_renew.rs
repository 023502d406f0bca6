//! A control: Redlock that takes a renewal without a quorum for the end, and deletes its key wherever it still can
//! (failure mode F16).
//!
//! The lease is valid for what was left of it before: a holder that is told "nobody knows" may go on until then. What
//! its validity rests on is gone from the servers that were well, so one more loss makes room for the next quorum. This
//! is what one client library does; everything else is [`redlock`](super::redlock)'s.

use super::redlock::{FailedRenewal, Habits, Redlock};
use super::{LockEntry, Needs, Tokens};
use crate::AnyLock;

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redlock-release-on-failed-renew",
    summary: "a majority of N independent Redis servers, given back where a renewal without a majority got through",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None(
        "the largest of several servers' counters is not monotonic across quorums",
    ),
    renews: true,
    control: Some("a renewal that misses its quorum unlocks the servers that are well (F16)"),
    build: |settings, backends, env| {
        let habits = Habits { failed_renewal: FailedRenewal::Releases, ..Habits::default() };
        AnyLock::new(Redlock { settings, backends, env, habits })
    },
};

//! A control: Redlock that takes a quorum for a grant however late it came (failure modes F02 and F20).
//!
//! A holder that is paused while its answers are on their way finds a majority of them when it goes on, though their TTL
//! has ended and the next holder has the lock. Step 3 of the algorithm, the look at the elapsed time, is what is left
//! out; everything else is [`redlock`](super::redlock)'s.

use super::redlock::{ElapsedCheck, Habits, Redlock};
use super::{LockEntry, Needs, Tokens};
use crate::AnyLock;

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redlock-no-elapsed-check",
    summary: "a majority of N independent Redis servers, however late it answered",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None(
        "the largest of several servers' counters is not monotonic across quorums",
    ),
    renews: true,
    control: Some("a quorum that comes after the TTL counts as a grant (F02, F20)"),
    build: |settings, backends, env| {
        let habits = Habits { check: ElapsedCheck::Left, ..Habits::default() };
        AnyLock::new(Redlock { settings, backends, env, habits })
    },
};

//! A control: the *holder's* clock decides whether a lease has ended (failure mode F35).
//!
//! `WHERE expires < $now` with a `$now` of the application: whoever's clock is ahead finds leases ended that stand, and
//! takes them. Everything else is [`lease-row`](super::lease_row)'s.
//!
//! Whose clock is wrong is decided by the number, so that a run can be replayed: those of every second holder are three
//! TTLs ahead, the others right. A lease that a holder of the right time took has ended for the rest from its first moment.

use super::lease_row::LeaseRow;
use super::{LockEntry, Needs, Tokens};
use crate::{AnyLock, InDatabase};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "lease-row-client-time",
    summary: "lease-row whose end is judged by the holder's clock, that of every second one three TTLs ahead",
    needs: Needs::Database(InDatabase::Leases),
    tokens: Tokens::None("a control; its tokens would rise all the same, and hide what is wrong"),
    renews: true,
    control: Some("a holder whose clock is ahead takes leases that stand (F35)"),
    build: |settings, backends, env| {
        AnyLock::new(LeaseRow::new(settings, backends, env, |holder, now, ttl| {
            let ahead = if holder.0.is_multiple_of(2) { 3 } else { 0 };
            Some(now + ttl * ahead)
        }))
    },
};

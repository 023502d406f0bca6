//! `keep-alive`: the lease is renewed in the background while the holder works, as watchdogs do.
//!
//! Every third of the TTL, over a session of its own and in the holder's own group, so that a holder that is paused or dead
//! renews nothing (failure mode F39). It stops when the lock is given back and when the holder goes; after so many
//! renewals the lease ends whatever the holder does, or one that hangs would hold for ever (F40). A holder asks whether
//! its lease is lost before it writes and before it commits, and gives the attempt up then (F42): the request that is on
//! its way goes on.
//!
//! It helps against work that takes longer than the TTL (F03). It cannot help against a pause between the question and
//! the write (F01): that takes a guard.

use super::PolicyEntry;
use crate::KeepAlive;

pub(super) const ENTRY: PolicyEntry = PolicyEntry {
    name: "keep-alive",
    summary: "the lease is renewed in the background every third of its TTL; a holder that lost it does not write",
    keep: Some(KeepAlive::for_ttl),
};

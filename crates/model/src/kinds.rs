//! The kinds of anomaly, as [`Anomaly::kind`](crate::Anomaly::kind) spells them.

/// Every kind that a scenario can expect of a strategy.
pub const ALL: &[&str] = &[
    DUPLICATE_BOOKING,
    LOST_BOOKING,
    PHANTOM_BOOKING,
    DOUBLE_WRITE,
    PARTIAL_BOOKING,
    DUPLICATE_EFFECT,
    STALE_WRITE,
    INSIDE_VALIDITY,
    OVERRUN,
    OVERLAPPING_GRANTS,
    TOKEN_WENT_BACK,
    TOKEN_REPEATED,
    UNEXPLAINED_REFUSAL,
    UNAVAILABLE,
    ORPHANED_LOCK,
    RELEASE_UNDONE,
    IMMORTAL_LOCK,
    STARVED,
    UNFAIR,
];

/// The kind that is spelled so.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    ALL.iter().find(|kind| **kind == name).copied()
}

/// A slot has more confirmed bookings than its capacity. The anomaly's count is the excess.
pub const DUPLICATE_BOOKING: &str = "duplicate-booking";
/// A booking was acknowledged and is not in the table.
pub const LOST_BOOKING: &str = "lost-booking";
/// A booking is in the table although its holder was told that it certainly did not happen.
pub const PHANTOM_BOOKING: &str = "phantom-booking";
/// One attempt has several rows. The anomaly's count is the excess.
pub const DOUBLE_WRITE: &str = "double-write";
/// An attempt that books several slots has rows for some of them. The anomaly's count is how many are missing.
pub const PARTIAL_BOOKING: &str = "partial-booking";
/// More customers were told that a slot is theirs than it has room for or bookings of. The anomaly's count is the excess.
pub const DUPLICATE_EFFECT: &str = "duplicate-effect";
/// A write under a fencing token was accepted after one under a larger token had been.
pub const STALE_WRITE: &str = "stale-write";
/// Two holders held one lock, both within their validity: the lock service is wrong.
pub const INSIDE_VALIDITY: &str = "inside-validity";
/// A holder went on after its lease had ended, while another held the lock.
pub const OVERRUN: &str = "overrun";
/// A lock was granted while an earlier grant of it stood, by what the server had promised.
pub const OVERLAPPING_GRANTS: &str = "overlapping-grants";
/// A later grant drew a smaller fencing token.
pub const TOKEN_WENT_BACK: &str = "token-went-back";
/// Two grants drew the same fencing token.
pub const TOKEN_REPEATED: &str = "token-repeated";
/// A holder was told that the lock is held, and no hold, no unexpired lease and no other request explains it.
pub const UNEXPLAINED_REFUSAL: &str = "unexplained-refusal";
/// After every fault was healed, nobody got anywhere for longer than leases explain.
pub const UNAVAILABLE: &str = "unavailable";
/// A lock stands at a server although everybody has stopped and cleaned up.
pub const ORPHANED_LOCK: &str = "orphaned-lock";
/// A lock stands at a server although its release was answered: the server forgot that, or was not among those that
/// answered.
pub const RELEASE_UNDONE: &str = "release-undone";
/// A lock stands at a server and has no TTL: it keeps everybody out for ever.
pub const IMMORTAL_LOCK: &str = "immortal-lock";
/// A holder asked together with others and never was the one that was granted the lock.
pub const STARVED: &str = "starved";
/// A holder was granted the lock far more rarely than those that asked together with it.
pub const UNFAIR: &str = "unfair";
/// Stands for anomalies beyond those that are listed. Its count says how many.
pub const FURTHER: &str = "further";
/// The checker itself failed, so its property is not judged.
pub const CHECKER_PANICKED: &str = "checker-panicked";

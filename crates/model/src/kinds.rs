//! The kinds of anomaly, as [`Anomaly::kind`](crate::Anomaly::kind) spells them.

/// Every kind that a scenario can expect of a strategy.
pub const ALL: &[&str] = &[
    DUPLICATE_BOOKING,
    LOST_BOOKING,
    PHANTOM_BOOKING,
    DOUBLE_WRITE,
    PARTIAL_BOOKING,
    DUPLICATE_EFFECT,
    INSIDE_VALIDITY,
    OVERRUN,
    TOKEN_WENT_BACK,
    TOKEN_REPEATED,
    ORPHANED_LOCK,
    RELEASE_UNDONE,
    IMMORTAL_LOCK,
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
/// Two holders held one lock, both within their validity: the lock service is wrong.
pub const INSIDE_VALIDITY: &str = "inside-validity";
/// A holder went on after its lease had ended, while another held the lock.
pub const OVERRUN: &str = "overrun";
/// A later grant drew a smaller fencing token.
pub const TOKEN_WENT_BACK: &str = "token-went-back";
/// Two grants drew the same fencing token.
pub const TOKEN_REPEATED: &str = "token-repeated";
/// A lock stands at a server although everybody has stopped and cleaned up.
pub const ORPHANED_LOCK: &str = "orphaned-lock";
/// A lock stands at a server although its release was answered: the server forgot that, or was not among those that
/// answered.
pub const RELEASE_UNDONE: &str = "release-undone";
/// A lock stands at a server and has no TTL: it keeps everybody out for ever.
pub const IMMORTAL_LOCK: &str = "immortal-lock";
/// Stands for anomalies beyond those that are listed. Its count says how many.
pub const FURTHER: &str = "further";
/// The checker itself failed, so its property is not judged.
pub const CHECKER_PANICKED: &str = "checker-panicked";

//! Who and what: the names that histories, tables and locks share.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident($inner:ty), $word:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    };
}

numbered!(
    /// A logical process with at most one operation in flight. Counted from 1.
    HolderId(u32), "holder"
);
numbered!(
    /// What can be sold `capacity` times. Counted from 1.
    SlotId(u32), "slot"
);
numbered!(
    /// One try of one customer to book one slot. Counted from 1; it is stored with the booking, which
    /// is how the table and the history find each other.
    AttemptId(u32), "attempt"
);
numbered!(
    /// The primary key of a row of the bookings table.
    BookingId(i64), "booking"
);
numbered!(
    /// The place of an operation in its history, which is its name in a witness.
    OperationId(u32), "operation"
);
numbered!(
    /// Strictly increasing with every grant; the protected resource refuses smaller ones.
    FencingToken(u64), "fencing token"
);

/// The resource that a lock protects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LockName(Arc<str>);

impl LockName {
    /// Names a resource. Backends put their own key prefix before it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Random, proves ownership on release, carries no order.
///
/// One is drawn per *request*, since a value used twice lets the late release of the first use match
/// the second (failure mode F11).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerValue(Arc<str>);

impl OwnerValue {
    /// Wraps a value that somebody else drew.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(Arc::from(value))
    }

    /// 128 random bits as 32 hexadecimal digits.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "digits are ASCII")]
    pub fn from_bits(bits: u128) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // By hand, since one is drawn for every request of every lock.
        let mut text = [0; 32];
        for (digits, byte) in text.chunks_exact_mut(2).zip(bits.to_be_bytes()) {
            digits[0] = DIGITS[usize::from(byte >> 4)];
            digits[1] = DIGITS[usize::from(byte & 0xf)];
        }
        Self(Arc::from(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII")))
    }

    /// The value as it is sent to the backend.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an acquire asks for. It exists before the request does, so that an acquire whose answer was
/// lost can be withdrawn by owner value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The resource.
    pub lock: LockName,
    /// The proof of ownership.
    pub owner: OwnerValue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_value_is_always_32_digits_wide() {
        assert_eq!(OwnerValue::from_bits(0xab).as_str(), "000000000000000000000000000000ab");
        let bits = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210;
        assert_eq!(OwnerValue::from_bits(bits).as_str(), format!("{bits:032x}"));
    }
}

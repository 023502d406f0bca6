//! What the servers' columns hold, in the words of the model.

use lockproof_model::FencingToken;

use crate::Result;
use crate::error::Kind;

/// A number that nobody but Lockproof writes, and never so large.
pub(crate) fn narrow(column: i64) -> Result<u32> {
    u32::try_from(column).map_err(|_| Kind::OutOfRange(column).into())
}

/// A token, for a column of 64 bits with a sign.
pub(crate) fn token_to(token: FencingToken) -> Result<i64> {
    i64::try_from(token.0).map_err(|_| Kind::FencingTokenTooLarge(token).into())
}

/// The schemas forbid negative tokens, so this loses no sign.
pub(crate) const fn token_from(column: i64) -> FencingToken {
    FencingToken(column.unsigned_abs())
}

//! A database in which locks are rows of a table.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{Claim, FencingToken, Instant, LeaseChange};

use crate::Result;

/// One holder's own connection to a table of leases: a row per lock, with its owner, its end and a token that only rises.
///
/// # Cancel safety
/// A change whose future is dropped may be made all the same, before anything that is asked by this connection after it.
pub trait LeaseDatabase: Debug + Send {
    /// Makes a change in one statement, and answers with the lease's token; `None` where the lease did not allow it.
    /// Whether it has ended is judged by the database's clock, or by `now` where there is one.
    ///
    /// # Errors
    /// No answer, or an error for one. Indefinite unless the change was certainly not made.
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>>;
}

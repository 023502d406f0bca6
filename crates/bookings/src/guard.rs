//! Guards: how a booking's write protects itself, and the two halves that most of them share.

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, Refusal, SlotId, Span};

use crate::error::Kind;
use crate::{Connection, InsertedRow, NewBooking, Result, RowLock, SlotState, TransactionMode};

/// An algorithm over a [`Connection`]'s primitives. It holds no state of its own: what the check saw is
/// handed back to the insert as [`Seen`]. Commit and rollback are the same for all of them and belong to
/// [`BookingSession`](crate::BookingSession).
///
/// An implementor leaves the transaction open when it refuses, and lets errors pass with `?`: the session
/// rolls back, and turns an abort by the database into its refusal.
pub trait Guard: Debug + Send + Sync {
    /// How often a booking that the database has aborted is tried in all, each time from its begin.
    fn tries(&self) -> u32 {
        1
    }

    /// Opens the booking's transaction.
    fn begin<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        _request: &'a Request,
    ) -> BoxFuture<'a, Result<()>> {
        db.begin(TransactionMode::ReadCommitted)
    }

    /// Reads whether the slot is free.
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>>;

    /// Writes the booking, or refuses to.
    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>>;
}

/// Who wants what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be booked.
    pub slot: SlotId,
    /// Which part of it.
    pub span: Span,
    /// By whom.
    pub holder: HolderId,
    /// In which attempt.
    pub attempt: AttemptId,
    /// The token of the holder's lease, where its lock draws one.
    pub fencing_token: Option<FencingToken>,
}

impl Request {
    /// The token, for a guard that cannot do without.
    ///
    /// # Errors
    /// When the lease has none, which a strategy is refused for before a run.
    pub fn token(&self) -> Result<FencingToken> {
        self.fencing_token.ok_or_else(|| Kind::NoFencingToken.into())
    }
}

/// What a check read, and an insert relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Confirmed bookings of the slot that overlap the request's span.
    pub confirmed: u32,
    /// How often it may be sold.
    pub capacity: u32,
    /// Its version.
    pub version: i64,
    /// Its fence.
    pub fence: FencingToken,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// There is room.
    Free(Seen),
    /// The slot is sold out.
    Taken {
        /// Confirmed bookings seen.
        confirmed: u32,
    },
    /// The request was carried out before, and this booking is what came of it.
    Done {
        /// Its primary key.
        booking: BookingId,
    },
    /// The guard or the database said no.
    Refused(Refusal),
}

impl Checked {
    /// Free while the count is below the capacity.
    #[must_use]
    pub const fn of(slot: SlotState, confirmed: u32) -> Self {
        let SlotState { capacity, version, fence } = slot;
        if confirmed < capacity {
            Self::Free(Seen { confirmed, capacity, version, fence })
        } else {
            Self::Taken { confirmed }
        }
    }
}

/// What an insert came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The row is written, not yet committed.
    Written {
        /// Its primary key.
        booking: BookingId,
        /// Its place within the slot's capacity.
        unit: u32,
    },
    /// The guard or the database said no.
    Refused(Refusal),
}

/// Reads the slot and counts its bookings; free while the count is below the capacity.
///
/// Two statements for who locks the row: one that waits for it would count in the state of when it was sent, and miss
/// the booking of whom it waited for. In one statement everybody else reads both as of one moment.
pub fn look<'a>(
    db: &'a mut dyn Connection,
    request: &'a Request,
    lock: RowLock,
) -> BoxFuture<'a, Result<Checked>> {
    async move {
        let Request { slot, span, .. } = *request;
        let (state, confirmed) = match lock {
            RowLock::None => db.read_slot_and_count(slot, span).await?,
            RowLock::ForUpdate => {
                (db.read_slot(slot, lock).await?, db.count_confirmed(slot, span).await?)
            }
        };
        Ok(Checked::of(state, confirmed))
    }
    .boxed()
}

/// Writes the booking as the next unit after those that the check saw.
pub fn write<'a>(
    db: &'a mut dyn Connection,
    request: &'a Request,
    seen: &'a Seen,
) -> BoxFuture<'a, Result<Inserted>> {
    async move {
        let Request { slot, span, holder, attempt, fencing_token } = *request;
        let unit = seen.confirmed + 1;
        let row = NewBooking { slot, span, unit, holder, attempt, fencing_token };
        Ok(match db.insert(row).await? {
            InsertedRow::Row(booking) => Inserted::Written { booking, unit },
            InsertedRow::Collision => Inserted::Refused(Refusal::Taken),
        })
    }
    .boxed()
}

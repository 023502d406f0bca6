//! One holder's way to book: a guard on a connection of its own.

use std::collections::VecDeque;

use lockproof_model::{BookingId, HolderId, Refusal, in_full};

use crate::{
    BookingError, BookingStore, Checked, Connection, Guard, Inserted, Request, Result, Seen,
};

/// Books step by step: [`begin`], [`check`], [`insert`], [`commit`], each awaited by the holder when its
/// flow comes to it.
///
/// A booking of several slots is one transaction: after each check [`also`] names the next slot, then each is inserted,
/// in the order of their checks, and one commit is for all.
///
/// A refusal is an answer and leaves no transaction open; so does an error before the commit, which is
/// therefore always definite. Only an error of [`commit`] may be indefinite.
///
/// # Cancel safety
/// The same for every method: what was sent is executed all the same. After a dropped [`begin`], [`check`]
/// or [`insert`] the booking certainly does not stand, since COMMIT was not sent, but its transaction may
/// keep locks until [`rollback`], the next [`begin`] or the session's drop. After a dropped [`commit`]
/// nobody knows.
///
/// [`also`]: Self::also
/// [`begin`]: Self::begin
/// [`check`]: Self::check
/// [`insert`]: Self::insert
/// [`commit`]: Self::commit
/// [`rollback`]: Self::rollback
#[derive(Debug)]
pub struct BookingSession {
    guard: &'static dyn Guard,
    db: Box<dyn Connection>,
    stage: Stage,
    /// Of a booking of several slots: those checked before the one that `stage` speaks of, or not yet written.
    others: VecDeque<(Request, Seen)>,
}

/// How far the booking has come; `Idle` too while a step is in flight, so that none follows a dropped one.
#[derive(Debug)]
enum Stage {
    Idle,
    Begun(Request),
    Free(Request, Seen),
    /// As `Free`, with no transaction open.
    Aside(Request, Seen),
    Written(BookingId),
}

/// What a commit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The booking stands.
    Booked(BookingId),
    /// The database ended the transaction instead; the booking does not stand.
    Refused(Refusal),
}

impl BookingSession {
    /// Opens `holder`'s own connection to `store`, to book under `guard`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn open(
        store: &dyn BookingStore,
        guard: &'static dyn Guard,
        holder: HolderId,
    ) -> Result<Self> {
        let db = store.open(holder).await.map_err(BookingError::definite)?;
        Ok(Self::over(db, guard))
    }

    /// Books over a connection that is there already, such as one of a pool.
    #[must_use]
    pub fn over(db: Box<dyn Connection>, guard: &'static dyn Guard) -> Self {
        Self { guard, db, stage: Stage::Idle, others: VecDeque::new() }
    }

    /// How often a booking that ended with [`Refusal::Aborted`] is to be tried in all.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.guard.tries()
    }

    /// Opens the booking's transaction, after rolling back one that was left open and dialling again if
    /// the connection was lost. Under `row-lock` on `SQLite` this waits for its turn.
    ///
    /// # Errors
    /// When the database fails or cannot be reached; always definite.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn begin(&mut self, request: Request) -> Result<()> {
        self.forget();
        match self.guard.begin(self.db.as_mut(), &request).await {
            Ok(()) => {
                self.stage = Stage::Begun(request);
                Ok(())
            }
            Err(error) => {
                self.undo().await;
                Err(error.definite())
            }
        }
    }

    /// Goes on to another slot of the same transaction, which is to be checked next.
    ///
    /// # Panics
    /// When no [`check`](Self::check) has found room just before: a bug of the flow.
    pub fn also(&mut self, request: Request) {
        let Stage::Free(checked, seen) = self.take_stage() else {
            panic!("another slot follows a check that found room")
        };
        self.others.push_back((checked, seen));
        self.stage = Stage::Begun(request);
    }

    /// Ends the transaction in which a check found room and keeps what it saw, as an application does that answers
    /// its customer and books later.
    ///
    /// # Errors
    /// When the database fails; always definite.
    ///
    /// # Panics
    /// When no [`check`](Self::check) has found room just before: a bug of the flow.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn set_aside(&mut self) -> Result<()> {
        let Stage::Free(request, seen) = self.take_stage() else {
            panic!("only what a check found can be set aside")
        };
        self.db.rollback().await.map_err(BookingError::definite)?;
        self.stage = Stage::Aside(request, seen);
        Ok(())
    }

    /// Opens a transaction for the insert that relies on what was [set aside](Self::set_aside).
    ///
    /// # Errors
    /// As for [`begin`](Self::begin).
    ///
    /// # Panics
    /// When nothing was set aside just before: a bug of the flow.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn take_up(&mut self) -> Result<()> {
        let Stage::Aside(request, seen) = self.take_stage() else {
            panic!("only what was set aside is taken up")
        };
        self.begin(request).await?;
        self.stage = Stage::Free(request, seen);
        Ok(())
    }

    /// Reads whether the slot is free, the way the guard reads.
    ///
    /// # Errors
    /// When the database fails; always definite.
    ///
    /// # Panics
    /// When no [`begin`](Self::begin) has succeeded just before: a bug of the flow.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn check(&mut self) -> Result<Checked> {
        let Stage::Begun(request) = self.take_stage() else { panic!("a check follows a begin") };
        let result = self.guard.check(self.db.as_mut(), &request).await;
        let checked = self.settle(result).await?.unwrap_or_else(Checked::Refused);
        match checked {
            Checked::Free(seen) => self.stage = Stage::Free(request, seen),
            Checked::Taken { .. } | Checked::Done { .. } | Checked::Refused(_) => self.undo().await,
        }
        Ok(checked)
    }

    /// Writes the booking under the guard; of several slots, that of the next one.
    ///
    /// # Errors
    /// When the database fails; always definite.
    ///
    /// # Panics
    /// When no [`check`](Self::check) has found room just before, and nothing is left to be written: a bug of the flow.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn insert(&mut self) -> Result<Inserted> {
        let (request, seen) = self.next_checked();
        let result = self.guard.insert(self.db.as_mut(), &request, &seen).await;
        let inserted = self.settle(result).await?.unwrap_or_else(Inserted::Refused);
        match inserted {
            Inserted::Written { booking, .. } => self.stage = Stage::Written(booking),
            Inserted::Refused(_) => self.undo().await,
        }
        Ok(inserted)
    }

    /// Commits the booking; of several slots, all of them, and the answer is the last one's row.
    ///
    /// # Errors
    /// When the database fails. Indefinite unless the database answered that it did not commit.
    ///
    /// # Panics
    /// When no [`insert`](Self::insert) has written a row just before, or a slot was checked and not written: a bug of
    /// the flow.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn commit(&mut self) -> Result<Committed> {
        let Stage::Written(booking) = self.take_stage() else {
            panic!("a commit follows an insert that wrote")
        };
        assert!(self.others.is_empty(), "every slot that was checked is written before the commit");
        match self.db.commit().await {
            Ok(()) => Ok(Committed::Booked(booking)),
            Err(error) => error.refusal().map(Committed::Refused).ok_or(error),
        }
    }

    /// Gives the booking up: undoes the open transaction, if any.
    ///
    /// # Errors
    /// When the database fails. The connection is given up then, which ends the transaction as well, so
    /// the error is definite, except after a [`commit`](Self::commit) that was dropped: that one's outcome
    /// stays unknown whatever this answers.
    ///
    /// # Cancel safety
    /// See [`BookingSession`].
    pub async fn rollback(&mut self) -> Result<()> {
        self.forget();
        self.db.rollback().await.map_err(BookingError::definite)
    }

    /// What was checked first of all that is not written yet.
    fn next_checked(&mut self) -> (Request, Seen) {
        match self.take_stage() {
            // The usual case stores nothing.
            Stage::Free(request, seen) if self.others.is_empty() => return (request, seen),
            Stage::Free(request, seen) => self.others.push_back((request, seen)),
            Stage::Written(_) => {}
            Stage::Idle | Stage::Begun(_) | Stage::Aside(..) => {
                panic!("an insert follows a check that found room")
            }
        }
        self.others.pop_front().expect("no more is written than was checked")
    }

    fn forget(&mut self) {
        self.stage = Stage::Idle;
        self.others.clear();
    }

    const fn take_stage(&mut self) -> Stage {
        std::mem::replace(&mut self.stage, Stage::Idle)
    }

    /// Makes an abort by the database a refusal, and every other error, before the commit, a definite one.
    async fn settle<T>(&mut self, result: Result<T>) -> Result<Result<T, Refusal>> {
        let error = match result {
            Ok(value) => return Ok(Ok(value)),
            Err(error) => error.definite(),
        };
        self.undo().await;
        error.refusal().map(Err).ok_or(error)
    }

    /// Rolls back after a refusal or an error, whose news is the one to hand on.
    async fn undo(&mut self) {
        self.forget();
        if let Err(error) = self.db.rollback().await {
            tracing::debug!(error = in_full(&error), "the connection was given up");
        }
    }
}

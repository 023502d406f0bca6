//! One holder: does the steps of a flow and writes each down.

use std::time::Duration;

use lockproof_bookings::{BookingError, BookingSession, Checked, Committed, Inserted, Request};
use lockproof_locks::{Acquisition, Driver, KeepAlive, Kept, LockError, Released, Renewed};
use lockproof_model::{
    AttemptId, AttemptResult, Certainty, Effect, Instant, Lease, LockName, Outcome, Reason,
    Refusal, RefusedBy, SlotId, Span, Step, in_full,
};
use serde::{Deserialize, Serialize};

use crate::catalog::FlowSettings;
use crate::walk::{Until, Walk};

/// Half of the longest pause after the first abort; each further one doubles it.
const PAUSE_AFTER_ABORT: Duration = Duration::from_millis(1);

/// What an attempt is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Which slot.
    pub slot: SlotId,
}

impl Target {
    /// The lock of the slot.
    #[must_use]
    pub fn lock(self) -> LockName {
        // By hand, since one is named for every attempt.
        LockName::new(&["slot-", itoa::Buffer::new().format(self.slot.0)].concat())
    }
}

/// Of an attempt whose holder found its lease ended.
pub(crate) const LEASE_ENDED: AttemptResult =
    AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::LeaseEnded };

/// A logical process with at most one operation in flight: a lock session, a database session and a pen.
///
/// Each method is one step of a flow: it asks the gate, does the step, writes it into the history and says
/// whether the booking goes on (`Ok`) or what it came to (`Err`).
///
/// # Cancel safety
/// The same for every method: the step ends as *info* in the history, a claim on its way is withdrawn, and a
/// transaction that was not committed is rolled back with its connection.
#[derive(Debug)]
pub struct Holder {
    pub(crate) walk: Walk,
    pub(crate) driver: Driver,
    pub(crate) booking: BookingSession,
    pub(crate) settings: FlowSettings,
    /// How it keeps its lease alive, where the strategy does.
    pub(crate) keep: Option<KeepAlive>,
    /// The lease that it holds now, while it is kept alive.
    pub(crate) kept: Option<Kept>,
    /// Of the lease that it holds now, when it was granted; of several, the first that ends.
    pub(crate) valid_until: Option<Instant>,
}

impl Holder {
    /// Takes the slot's lock, waiting for it as the policy says.
    ///
    /// # Errors
    /// What the attempt came to: refused by the lock, failed, or unknown. An acquire without an answer is
    /// withdrawn, so the attempt itself certainly did not book.
    pub async fn acquire(&mut self, target: Target) -> Result<Lease, AttemptResult> {
        self.invoke(target, Step::Acquire).await;
        let lock = self.walk.lock_of(target);
        match self.driver.acquire(&lock).await {
            Ok(Acquisition::Granted { lease, requested, tries }) => {
                let known = self.valid_until.unwrap_or(lease.valid_until);
                self.valid_until = Some(known.min(lease.valid_until));
                let granted = Effect::Granted {
                    owner: lease.claim.owner.clone(),
                    requested,
                    valid_until: lease.valid_until,
                    fencing_token: lease.fencing_token,
                    tries,
                };
                self.kept = self.keep.map(|keep| self.driver.keep_alive(lease.clone(), keep));
                self.complete(target, Step::Acquire, Outcome::Ok(granted)).await;
                Ok(lease)
            }
            Ok(Acquisition::Held { .. }) => {
                self.refused(target, Step::Acquire, Refusal::Held).await;
                Err(AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held })
            }
            Err(error) => {
                self.complete(target, Step::Acquire, of_lock_error(&error)).await;
                Err(AttemptResult::Failed { error: in_full(&error) })
            }
        }
    }

    /// Lets the customer think for as long.
    pub async fn think(&mut self, target: Target, length: Duration) {
        self.spend(target, Step::Think, length).await;
    }

    /// Makes the lease last longer. Without an answer the booking goes on while the old validity lasts.
    ///
    /// # Errors
    /// What the attempt came to: the lease has ended.
    pub async fn renew(&mut self, target: Target, lease: &mut Lease) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Renew).await;
        match self.driver.renew(lease).await {
            Ok(Renewed::Extended) => {
                let valid_until = lease.valid_until;
                self.valid_until = Some(valid_until);
                let renewed = Outcome::Ok(Effect::Renewed { valid_until });
                self.complete(target, Step::Renew, renewed).await;
                Ok(())
            }
            Ok(Renewed::Lost) => Err(self.lease_ended(target, Step::Renew).await),
            Err(error) => {
                self.complete(target, Step::Renew, of_lock_error(&error)).await;
                let is_valid = !self.driver.remaining(lease).is_zero();
                if is_valid { Ok(()) } else { Err(LEASE_ENDED) }
            }
        }
    }

    /// Asks the lock's backend whether the lease still stands.
    ///
    /// # Errors
    /// What the attempt came to: the lease has ended, or nobody could say.
    pub async fn verify(&mut self, target: Target, lease: &Lease) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Verify).await;
        match self.driver.verify(lease).await {
            Ok(Some(remaining)) => {
                let verified = Outcome::Ok(Effect::Verified { remaining });
                self.complete(target, Step::Verify, verified).await;
                Ok(())
            }
            Ok(None) => Err(self.lease_ended(target, Step::Verify).await),
            Err(error) => {
                self.complete(target, Step::Verify, of_lock_error(&error)).await;
                // Of the booking it is certain that it did not happen: nothing was written.
                Err(AttemptResult::Failed { error: in_full(&error) })
            }
        }
    }

    /// Opens the booking's transaction; with a lease, under its token where it has one.
    ///
    /// # Errors
    /// What the attempt came to.
    pub fn begin<'l>(
        &mut self,
        target: Target,
        lease: impl Into<Option<&'l Lease>> + Send,
    ) -> impl Future<Output = Result<(), AttemptResult>> + Send {
        let request = self.request(target, Span::WHOLE, lease.into());
        self.begin_request(target, request)
    }

    /// As [`begin`](Self::begin), to book a part of the slot.
    ///
    /// # Errors
    /// As there.
    pub fn begin_span(
        &mut self,
        target: Target,
        span: Span,
        lease: &Lease,
    ) -> impl Future<Output = Result<(), AttemptResult>> + Send {
        let request = self.request(target, span, Some(lease));
        self.begin_request(target, request)
    }

    async fn begin_request(
        &mut self,
        target: Target,
        request: Request,
    ) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Begin).await;
        match self.booking.begin(request).await {
            Ok(()) => {
                self.complete(target, Step::Begin, Outcome::Ok(Effect::Done)).await;
                Ok(())
            }
            Err(error) => Err(self.failed(target, Step::Begin, &error).await),
        }
    }

    /// Goes on to another slot of the same transaction, to be checked next. No step of its own: nothing is asked.
    pub fn also(&mut self, target: Target, lease: &Lease) {
        let request = self.request(target, Span::WHOLE, Some(lease));
        self.booking.also(request);
    }

    /// Ends the transaction of a check that found room and keeps what it saw.
    ///
    /// # Errors
    /// What the attempt came to.
    pub async fn set_aside(&mut self) -> Result<(), AttemptResult> {
        let aside = self.booking.set_aside().await;
        aside.map_err(|error| AttemptResult::Failed { error: in_full(&error) })
    }

    /// Opens a transaction that goes on from what was set aside.
    ///
    /// # Errors
    /// What the attempt came to.
    pub async fn take_up(&mut self, target: Target) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Begin).await;
        match self.booking.take_up().await {
            Ok(()) => {
                self.complete(target, Step::Begin, Outcome::Ok(Effect::Done)).await;
                Ok(())
            }
            Err(error) => Err(self.failed(target, Step::Begin, &error).await),
        }
    }

    /// Reads whether the slot is free.
    ///
    /// # Errors
    /// What the attempt came to.
    pub async fn check(&mut self, target: Target) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Check).await;
        match self.booking.check().await {
            Ok(Checked::Free(seen)) => {
                let read = Effect::Checked { confirmed: seen.confirmed, free: true };
                self.complete(target, Step::Check, Outcome::Ok(read)).await;
                Ok(())
            }
            Ok(Checked::Taken { confirmed }) => {
                let read = Effect::Checked { confirmed, free: false };
                self.complete(target, Step::Check, Outcome::Ok(read)).await;
                Err(AttemptResult::Refused { by: RefusedBy::Check, refusal: Refusal::Taken })
            }
            Ok(Checked::Done { booking }) => {
                let repeated = Effect::Repeated { booking };
                self.complete(target, Step::Check, Outcome::Ok(repeated)).await;
                Err(AttemptResult::Booked { booking })
            }
            Ok(Checked::Refused(refusal)) => {
                self.refused(target, Step::Check, refusal).await;
                Err(AttemptResult::Refused { by: RefusedBy::Guard, refusal })
            }
            Err(error) => Err(self.failed(target, Step::Check, &error).await),
        }
    }

    /// What the application does between its check and its write.
    pub async fn work(&mut self, target: Target) {
        self.spend(target, Step::Work, self.settings.work).await;
    }

    /// Does what no database can undo: the e-mail is sent, the card is charged. The history is its ledger.
    pub async fn notify(&mut self, target: Target) {
        self.spend(target, Step::Notify, Duration::ZERO).await;
    }

    /// A step that is nothing but time.
    pub(crate) async fn spend(&mut self, target: Target, step: Step, length: Duration) {
        self.invoke(target, step).await;
        if !length.is_zero() {
            self.walk.env.sleep(length).await;
        }
        self.complete(target, step, Outcome::Ok(Effect::Done)).await;
    }

    /// Writes the booking, under the guard.
    ///
    /// # Errors
    /// What the attempt came to.
    pub async fn insert(&mut self, target: Target) -> Result<(), AttemptResult> {
        self.ask_whether_lost(target).await?;
        self.invoke(target, Step::Insert).await;
        match self.booking.insert().await {
            Ok(Inserted::Written { unit, .. }) => {
                self.complete(target, Step::Insert, Outcome::Ok(Effect::Inserted { unit })).await;
                Ok(())
            }
            Ok(Inserted::Refused(refusal)) => {
                self.refused(target, Step::Insert, refusal).await;
                Err(AttemptResult::Refused { by: RefusedBy::Guard, refusal })
            }
            Err(error) => Err(self.failed(target, Step::Insert, &error).await),
        }
    }

    /// Commits the booking.
    ///
    /// # Errors
    /// What the attempt came to; unknown when the commit had no answer.
    pub async fn commit(&mut self, target: Target) -> Result<AttemptResult, AttemptResult> {
        self.ask_whether_lost(target).await?;
        self.invoke(target, Step::Commit).await;
        match self.booking.commit().await {
            Ok(Committed::Booked(booking)) => {
                let committed = Effect::Committed { booking };
                self.complete(target, Step::Commit, Outcome::Ok(committed)).await;
                Ok(AttemptResult::Booked { booking })
            }
            Ok(Committed::Refused(refusal)) => {
                self.refused(target, Step::Commit, refusal).await;
                Err(AttemptResult::Refused { by: RefusedBy::Guard, refusal })
            }
            Err(error) => Err(self.failed(target, Step::Commit, &error).await),
        }
    }

    /// Whether to try again from the begin what has ended so for the `tried`th time: the database aborted it, and the
    /// guard asks for more tries than these. Returns after a pause of up to 2 ms, 4 ms, 8 ms …, drawn at random, so that
    /// those who collided do not collide again.
    pub async fn tries_again(&mut self, tried: u32, ended: &AttemptResult) -> bool {
        let aborted = matches!(ended, AttemptResult::Refused { refusal: Refusal::Aborted, .. });
        if !aborted || tried >= self.booking.tries() {
            return false;
        }
        let longest = PAUSE_AFTER_ABORT.saturating_mul(1 << tried.min(8));
        self.walk.env.sleep(longest.mul_f64(self.walk.env.random().unit())).await;
        true
    }

    /// Gives the lock back. A release without an answer does not change what the booking came to; the claim is
    /// withdrawn in the background.
    pub async fn release(&mut self, target: Target, lease: Lease) {
        self.invoke(target, Step::Release).await;
        let released = match self.kept.take() {
            Some(kept) => self.driver.release_kept(kept).await,
            None => self.driver.release(lease).await,
        };
        let outcome = match released {
            Ok(released) => Outcome::Ok(Effect::Released { owned: released == Released::Owned }),
            Err(error) => of_lock_error(&error),
        };
        self.valid_until = None;
        self.complete(target, Step::Release, outcome).await;
    }

    /// Where the lease is kept alive, looks whether that is known to have failed: nothing is written then. The request
    /// goes to nobody, and what happens between this and the write is for a guard to see.
    async fn ask_whether_lost(&mut self, target: Target) -> Result<(), AttemptResult> {
        if self.kept.is_none() {
            return Ok(());
        }
        self.invoke(target, Step::Verify).await;
        let Some(kept) = &self.kept else { return Ok(()) };
        let (lost, remaining) = (kept.is_lost(), self.driver.remaining(&kept.lease()));
        if !lost {
            self.complete(target, Step::Verify, Outcome::Ok(Effect::Verified { remaining })).await;
            return Ok(());
        }
        let ended = self.lease_ended(target, Step::Verify).await;
        if let Err(error) = self.booking.rollback().await {
            tracing::debug!(error = in_full(&error), "the connection was given up");
        }
        Err(ended)
    }

    fn request(&self, target: Target, span: Span, lease: Option<&Lease>) -> Request {
        Request {
            slot: target.slot,
            span,
            holder: self.walk.id,
            attempt: target.attempt,
            fencing_token: lease.and_then(|lease| lease.fencing_token),
        }
    }

    async fn lease_ended(&mut self, target: Target, step: Step) -> AttemptResult {
        self.refused(target, step, Refusal::LeaseEnded).await;
        LEASE_ENDED
    }

    async fn refused(&mut self, target: Target, step: Step, refusal: Refusal) {
        self.complete(target, step, Outcome::Fail(Reason::Refused(refusal))).await;
    }

    async fn failed(&mut self, target: Target, step: Step, error: &BookingError) -> AttemptResult {
        let text = in_full(error);
        let reason = Reason::Error(text.clone());
        match error.certainty() {
            Certainty::Definite => {
                self.complete(target, step, Outcome::Fail(reason)).await;
                AttemptResult::Failed { error: text }
            }
            Certainty::Indefinite => {
                self.complete(target, step, Outcome::Info(reason)).await;
                AttemptResult::Unknown { error: text }
            }
        }
    }

    async fn invoke(&mut self, target: Target, step: Step) {
        let until = Until { granted: self.valid_until, kept: self.kept.as_ref() };
        self.walk.invoke(target, step, until).await;
    }

    async fn complete(&mut self, target: Target, step: Step, outcome: Outcome) {
        let until = Until { granted: self.valid_until, kept: self.kept.as_ref() };
        self.walk.complete(target, step, outcome, until).await;
    }
}

fn of_lock_error(error: &LockError) -> Outcome {
    let reason = Reason::Error(in_full(error));
    if error.is_definite() { Outcome::Fail(reason) } else { Outcome::Info(reason) }
}

//! What every lock needs around its algorithm: claims, waiting, validity and clean-up.

use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Instant, Lease, LockName, OwnerValue};

use crate::keep_alive::{KeepAlive, Kept, Prepared};
use crate::withdrawal::Withdrawals;
use crate::{
    Acquired, AnyLock, AnySession, Drift, Lock, LockError, LockSession, Released, Renewed, Result,
};

/// How a holder uses a lock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// How long the backend keeps each grant.
    pub ttl: Duration,
    /// How often and how long to wait for somebody else's grant to end.
    pub wait: Wait,
    /// Taken off each lease's validity.
    pub drift: Drift,
}

impl Policy {
    pub(crate) fn take_off_drift(&self, lease: &mut Lease) {
        if let Some(ttl) = lease.ttl {
            lease.valid_until = lease.valid_until - self.drift.allowance(ttl);
        }
    }
}

/// Waiting for a lock that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Requests in all; 1 never waits.
    pub tries: u32,
    /// Between two requests.
    pub delay: Duration,
    /// Up to this much more, drawn anew each time: without it, holders that once collided collide for ever
    /// (failure mode F26).
    pub jitter: Duration,
}

impl Wait {
    /// One request, no waiting.
    pub const NEVER: Self = Self { tries: 1, delay: Duration::ZERO, jitter: Duration::ZERO };
}

/// One holder's use of one lock.
///
/// It draws an owner value per request, waits, takes the drift allowance off each lease, and withdraws every
/// claim whose request was not answered, also when the caller's future was dropped.
#[derive(Debug)]
pub struct Driver {
    env: Env,
    policy: Policy,
    lock: AnyLock,
    holder: HolderId,
    session: AnySession,
    withdrawals: Withdrawals,
    /// What renewals go over, while none is under way.
    keeper: Option<AnySession>,
    /// Keeps the owner values of two runs of one seed apart where they share a server.
    salt: u64,
}

impl Driver {
    /// Opens a session of `lock` for `holder`. `salt` is the run's own (see [`lockproof_env::live::entropy`]).
    ///
    /// # Errors
    /// The backend cannot be reached; definite.
    pub async fn open(
        env: Env,
        lock: &AnyLock,
        holder: HolderId,
        policy: Policy,
        salt: u64,
    ) -> Result<Self> {
        let session = lock.open(holder).await?;
        let withdrawals = Withdrawals::new(&env, lock, holder);
        let (lock, keeper) = (lock.clone(), None);
        Ok(Self { env, policy, lock, holder, session, withdrawals, keeper, salt })
    }

    /// Takes `lock`, waiting for it as the policy says.
    ///
    /// # Errors
    /// The last request of those that the policy allows had no answer, or an error for one; or it was refused, and an
    /// earlier one had no answer. Such claims are being withdrawn.
    ///
    /// # Cancel safety
    /// When the future is dropped, the claim that was on its way is withdrawn in the background.
    pub async fn acquire(&mut self, lock: &LockName) -> Result<Acquisition> {
        let Wait { tries, delay, jitter } = self.policy.wait;
        let mut tried = 0;
        let mut unknown = None;
        loop {
            tried += 1;
            let claim = Claim { lock: lock.clone(), owner: self.draw_owner() };
            let requested = self.env.now();
            let answer = self.request(&claim, self.policy.ttl).await;
            match answer {
                Ok(Acquired::Granted(mut lease)) => {
                    self.policy.take_off_drift(&mut lease);
                    return Ok(Acquisition::Granted { lease, requested, tries: tried });
                }
                Ok(Acquired::Held) if tried >= tries => {
                    // An earlier try that nobody answered may be what holds it: then this is no clear no.
                    return unknown.map_or(Ok(Acquisition::Held { tries: tried }), Err);
                }
                Err(error) if tried >= tries => return Err(error),
                Err(error) if !error.is_definite() => unknown = Some(error),
                Ok(Acquired::Held) | Err(_) => {}
            }
            self.env.sleep(delay + self.env.random().up_to(jitter)).await;
        }
    }

    /// Tries once to take `claim` for `ttl`. Its owner value is the caller's own: for a holder who proves later, and
    /// perhaps to another process, that the lock is theirs.
    ///
    /// # Errors
    /// No answer, or an error for one. The claim is being withdrawn, unless it certainly had no effect.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    pub async fn claim(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let mut answer = self.request(claim, ttl).await;
        if let Ok(Acquired::Granted(lease)) = &mut answer {
            self.policy.take_off_drift(lease);
        }
        answer
    }

    /// Makes `lease` last for the policy's TTL from now, if it still stands.
    ///
    /// # Errors
    /// No answer: the old validity is all that may be trusted.
    ///
    /// # Cancel safety
    /// The lease may have been extended at the backend; its validity here is the old one.
    pub async fn renew(&mut self, lease: &mut Lease) -> Result<Renewed> {
        self.renew_for(lease, self.policy.ttl).await
    }

    /// The same for another TTL than the policy's.
    ///
    /// # Errors
    /// As for [`renew`](Self::renew).
    ///
    /// # Cancel safety
    /// As for [`renew`](Self::renew).
    pub async fn renew_for(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let renewed = self.session.renew(lease, ttl).await?;
        if renewed == Renewed::Extended {
            self.policy.take_off_drift(lease);
        }
        Ok(renewed)
    }

    /// Asks the backend whether `lease` still stands, and for how long it may be trusted, without making it last longer:
    /// a renewal for what is left of it, in whole milliseconds, as backends count them. None when it has ended; by its
    /// own clock, nobody is asked.
    ///
    /// # Errors
    /// No answer: the old validity is all that may be trusted.
    ///
    /// # Cancel safety
    /// The lease stands as it did.
    pub async fn verify(&mut self, lease: &Lease) -> Result<Option<Duration>> {
        let left = self.remaining(lease);
        let Some(_) = lease.ttl else { return Ok(Some(left)) };
        if left.is_zero() {
            return Ok(None);
        }
        let whole = Duration::from_millis(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        let left_whole = if whole < left { whole + Duration::from_millis(1) } else { whole };
        // The answer is for this copy: what the holder trusts does not grow by being asked about.
        let renewed = self.session.renew(&mut lease.clone(), left_whole).await?;
        Ok((renewed == Renewed::Extended).then_some(left))
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// No answer: the claim is being withdrawn in the background.
    ///
    /// # Cancel safety
    /// As for an error.
    pub async fn release(&mut self, lease: Lease) -> Result<Released> {
        let claim = lease.claim.clone();
        let watch = self.withdrawals.watch(&claim, self.policy.ttl);
        let released = self.session.release(lease).await;
        if released.is_ok() {
            watch.answered();
        }
        released
    }

    /// Opens the session that renewals go over, before anything depends on its being quick.
    ///
    /// # Errors
    /// The backend cannot be reached; definite.
    pub async fn prepare_to_keep(&mut self) -> Result<()> {
        if self.keeper.is_none() {
            self.keeper = Some(self.lock.open(self.holder).await?);
        }
        Ok(())
    }

    /// Keeps `lease` alive in the background until it is given back or lost, over a session of its own: the one that was
    /// prepared, or that of the last lease; where there is none it is opened in the background too.
    #[must_use]
    pub fn keep_alive(&mut self, lease: Lease, keep: KeepAlive) -> Kept {
        let session =
            Prepared { lock: self.lock.clone(), holder: self.holder, session: self.keeper.take() };
        Kept::start(&self.env, session, self.policy, keep, lease)
    }

    /// Stops the renewal and gives the lock back.
    ///
    /// # Errors
    /// As for [`release`](Self::release).
    ///
    /// # Cancel safety
    /// The renewal has stopped or will stop, and the lease ends by itself.
    pub async fn release_kept(&mut self, kept: Kept) -> Result<Released> {
        let (lease, session) = kept.stop().await;
        self.keeper = session;
        self.release(lease).await
    }

    /// How long `lease` may still be trusted.
    #[must_use]
    pub fn remaining(&self, lease: &Lease) -> Duration {
        lease.remaining(self.env.now())
    }

    /// Waits for the withdrawals that are under way.
    ///
    /// # Cancel safety
    /// They go on.
    pub async fn settle(&mut self) {
        self.withdrawals.settle().await;
    }

    async fn request(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let watch = self.withdrawals.watch(claim, ttl);
        let answer = self.session.acquire(claim, ttl).await;
        if answer.as_ref().map_or_else(LockError::is_definite, |_| true) {
            watch.answered();
        }
        answer
    }

    fn draw_owner(&self) -> OwnerValue {
        OwnerValue::from_bits(self.env.random().wide_bits() ^ (u128::from(self.salt) << 32))
    }
}

/// What a waiting acquire came to.
#[derive(Debug)]
pub enum Acquisition {
    /// The lock is the holder's.
    Granted {
        /// The grant, its validity less the drift allowance.
        lease: Lease,
        /// When the request that was granted left.
        requested: Instant,
        /// Requests made.
        tries: u32,
    },
    /// It was held at every request.
    Held {
        /// Requests made.
        tries: u32,
    },
}

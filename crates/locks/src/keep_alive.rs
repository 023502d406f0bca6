//! Renewal in the background, and the news that it failed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use lockproof_env::{Env, Task};
use lockproof_model::{HolderId, Instant, Lease};
use tokio::sync::watch;

use crate::driver::Policy;
use crate::{AnyLock, AnySession, Lock, LockSession, Renewed, Result};

/// How a lease is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Between two renewals; a third of the TTL leaves two more tries before it ends.
    pub every: Duration,
    /// Renewals in all: what keeps a holder that hangs for ever from holding for ever (failure mode F40).
    pub renewals: u32,
}

impl KeepAlive {
    /// Every third of `ttl`, for an hour at most.
    #[must_use]
    pub fn for_ttl(ttl: Duration) -> Self {
        let every = ttl / 3;
        let hour = Duration::from_secs(3600);
        let renewals = hour.as_nanos().checked_div(every.as_nanos()).unwrap_or(0);
        Self { every, renewals: u32::try_from(renewals).unwrap_or(u32::MAX) }
    }
}

/// A lease that is renewed in the background for as long as this value lives.
///
/// Dropping it stops the renewal and leaves the lease to end by itself; to give it back, hand it to
/// [`Driver::release_kept`](crate::Driver::release_kept).
#[derive(Debug)]
pub struct Kept {
    env: Env,
    lease: Arc<Mutex<Lease>>,
    news: watch::Receiver<News>,
    stop: watch::Sender<bool>,
    task: Option<Task<Option<AnySession>>>,
}

/// The session of renewals, or how to open it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) lock: AnyLock,
    pub(crate) holder: HolderId,
    pub(crate) session: Option<AnySession>,
}

impl Prepared {
    async fn ready(&mut self) -> Result<&mut AnySession> {
        match &mut self.session {
            Some(session) => Ok(session),
            none => Ok(none.insert(self.lock.open(self.holder).await?)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Held,
    Lost,
}

impl Kept {
    pub(crate) fn start(
        env: &Env,
        session: Prepared,
        policy: Policy,
        keep: KeepAlive,
        lease: Lease,
    ) -> Self {
        let lease = Arc::new(Mutex::new(lease));
        let (told, news) = watch::channel(News::Held);
        let (stop, stopped) = watch::channel(false);
        let keeper = Keeper { env: env.clone(), session, policy, lease: Arc::clone(&lease), told };
        let task = env.spawn(keeper.keep(keep, stopped));
        Self { env: env.clone(), lease, news, stop, task: Some(task) }
    }

    /// The lease as it stands now.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the lease is known to be lost, or its validity has ended.
    ///
    /// A holder that was paused past its validity may ask before the renewal has found that out; the clock knows.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        *self.news.borrow() == News::Lost || self.lease().remaining(self.env.now()).is_zero()
    }

    /// Completes when the lease is lost: the server says so, or its validity ended before a renewal went through.
    ///
    /// It cannot tell a holder that is paused: what must not happen after a pause needs a guard on the write.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn lost(&mut self) {
        if self.news.wait_for(|news| *news == News::Lost).await.is_err() {
            // The keeper ended without losing it: it was stopped, and nobody will ever tell.
            std::future::pending::<()>().await;
        }
    }

    /// Stops the renewal, lets the one under way finish, and gives back the lease and the session for the next.
    pub(crate) async fn stop(mut self) -> (Lease, Option<AnySession>) {
        self.stop.send_replace(true);
        let session = match self.task.take() {
            // A stopped task means that the run is over; the lease stands as it is.
            Some(task) => task.await.ok().flatten(),
            None => None,
        };
        (self.lease(), session)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// The task.
struct Keeper {
    env: Env,
    session: Prepared,
    policy: Policy,
    lease: Arc<Mutex<Lease>>,
    told: watch::Sender<News>,
}

impl Keeper {
    async fn keep(mut self, keep: KeepAlive, stopped: watch::Receiver<bool>) -> Option<AnySession> {
        self.renew_until(keep, stopped).await;
        self.session.session
    }

    async fn renew_until(&mut self, keep: KeepAlive, mut stopped: watch::Receiver<bool>) {
        // Tried again by the first renewal where it fails.
        drop(self.session.ready().await);
        for _ in 0..keep.renewals {
            // After a failed renewal the next follows sooner: what is left of the validity is all the time there is.
            let left = self.valid_until().saturating_since(self.env.now());
            let pause = keep.every.min((left / 2).max(keep.every / 8));
            let asked = stopped.wait_for(|stop| *stop);
            match select(Box::pin(asked), Box::pin(self.env.sleep(pause))).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
            let (env, end) = (self.env.clone(), self.valid_until());
            // A server that does not answer must not delay the news.
            let renewed = match select(Box::pin(self.renew()), Box::pin(env.sleep_until(end))).await
            {
                Either::Left((renewed, _)) => renewed,
                Either::Right(_) => false,
            };
            if !renewed {
                self.told.send_replace(News::Lost);
                return;
            }
        }
        // No renewal is left; the lease ends by itself.
        let end = self.valid_until();
        let asked = stopped.wait_for(|stop| *stop);
        if let Either::Right(_) = select(Box::pin(asked), Box::pin(self.env.sleep_until(end))).await
        {
            self.told.send_replace(News::Lost);
        }
    }

    /// Whether the lease still stands.
    async fn renew(&mut self) -> bool {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.ask(&mut lease).await {
            Ok(Renewed::Extended) => {
                self.policy.take_off_drift(&mut lease);
                *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
                true
            }
            Ok(Renewed::Lost) => false,
            // Nobody knows; what was valid before still is.
            Err(_) => self.env.now() < self.valid_until(),
        }
    }

    async fn ask(&mut self, lease: &mut Lease) -> Result<Renewed> {
        let ttl = self.policy.ttl;
        self.session.ready().await?.renew(lease, ttl).await
    }

    fn valid_until(&self) -> Instant {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).valid_until
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use lockproof_model::{Claim, LockName, OwnerValue};

    use super::*;
    use crate::{Acquired, Drift, LockError, Released, Wait};

    const TTL: Duration = Duration::from_millis(300);

    /// Answers renewals from a list, then extends for ever.
    #[derive(Clone, Debug, Default)]
    struct Scripted {
        answers: Arc<Mutex<VecDeque<Answer>>>,
        asked: Arc<Mutex<u32>>,
    }

    #[derive(Clone, Copy, Debug)]
    enum Answer {
        Lost,
        Silence,
        Never,
    }

    impl Lock for Scripted {
        type Session = Self;
        async fn open(&self, _: HolderId) -> Result<Self> {
            Ok(self.clone())
        }
    }

    impl LockSession for Scripted {
        async fn acquire(&mut self, _: &Claim, _: Duration) -> Result<Acquired> {
            Ok(Acquired::Held)
        }
        async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
            *self.asked.lock().unwrap() += 1;
            let answer = self.answers.lock().unwrap().pop_front();
            match answer {
                Some(Answer::Lost) => Ok(Renewed::Lost),
                Some(Answer::Silence) => Err(LockError::indefinite("nobody answered")),
                Some(Answer::Never) => std::future::pending().await,
                None => {
                    lease.valid_until += ttl / 3;
                    Ok(Renewed::Extended)
                }
            }
        }
        async fn release(&mut self, _: Lease) -> Result<Released> {
            Ok(Released::Owned)
        }
        async fn withdraw(&mut self, _: &Claim) -> Result<()> {
            Ok(())
        }
    }

    fn kept(scripted: &Scripted, keep: KeepAlive) -> (Env, Kept) {
        let env = lockproof_env::live::env(1);
        let drift = Drift { factor: 0.0, constant: Duration::ZERO };
        let policy = Policy { ttl: TTL, wait: Wait::NEVER, drift };
        let claim = Claim { lock: LockName::new("slot"), owner: OwnerValue::from_bits(1) };
        let lease = Lease::bounded(claim, env.now(), env.now(), TTL);
        let lock = AnyLock::new(scripted.clone());
        let session = Prepared { lock, holder: HolderId(1), session: None };
        (env.clone(), Kept::start(&env, session, policy, keep, lease))
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_renewed_outlives_its_ttl_and_stops_when_given_back() {
        let scripted = Scripted::default();
        let (env, kept) = kept(&scripted, KeepAlive::for_ttl(TTL));
        env.sleep(TTL * 10).await;
        assert!(!kept.is_lost());
        kept.stop().await;
        let asked = *scripted.asked.lock().unwrap();
        env.sleep(TTL * 10).await;
        assert!(asked >= 20 && *scripted.asked.lock().unwrap() == asked, "renewed after the end");
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_s_no_is_news_at_once() {
        let scripted = Scripted::default();
        scripted.answers.lock().unwrap().push_back(Answer::Lost);
        let (env, mut kept) = kept(&scripted, KeepAlive::for_ttl(TTL));
        kept.lost().await;
        assert!(env.now().since_start() < TTL && kept.is_lost());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_news_when_the_validity_has_ended_and_not_before() {
        let scripted = Scripted::default();
        scripted.answers.lock().unwrap().extend([Answer::Silence; 1000]);
        let (env, mut kept) = kept(&scripted, KeepAlive::for_ttl(TTL));
        env.sleep(TTL / 2).await;
        assert!(!kept.is_lost());
        kept.lost().await;
        assert!(env.now().since_start() >= TTL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_is_never_answered_does_not_delay_the_news() {
        let scripted = Scripted::default();
        scripted.answers.lock().unwrap().push_back(Answer::Never);
        let (env, mut kept) = kept(&scripted, KeepAlive::for_ttl(TTL));
        kept.lost().await;
        let told = env.now().since_start();
        assert!(told >= TTL && told < TTL * 2, "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn renewal_ends_at_its_cap_and_the_lease_with_it() {
        let scripted = Scripted::default();
        let keep = KeepAlive { every: TTL / 3, renewals: 2 };
        let (env, mut kept) = kept(&scripted, keep);
        kept.lost().await;
        assert_eq!(*scripted.asked.lock().unwrap(), 2);
        assert!(env.now().since_start() >= TTL + TTL / 3 * 2);
    }
}

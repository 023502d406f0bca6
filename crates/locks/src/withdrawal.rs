//! Cleaning up after answers that never came.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_env::{Env, Task};
use lockproof_model::{Claim, HolderId, in_full};

use crate::{AnyLock, Lock, LockSession};

/// Between the first two tries to withdraw; doubled from try to try, since whoever is down is seldom back at once.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Withdraws claims in the background, in the holder's own group: a holder that is paused cleans up nothing.
#[derive(Clone, Debug)]
pub(crate) struct Withdrawals {
    env: Env,
    lock: AnyLock,
    holder: HolderId,
    running: Arc<Mutex<Vec<Task<()>>>>,
}

impl Withdrawals {
    pub(crate) fn new(env: &Env, lock: &AnyLock, holder: HolderId) -> Self {
        Self { env: env.clone(), lock: lock.clone(), holder, running: Arc::default() }
    }

    /// Watches over a request from before it is sent: unless it is answered, the claim is withdrawn, be it
    /// that the request failed without deciding anything or that its future was dropped.
    pub(crate) const fn watch<'a>(&'a self, claim: &'a Claim, ttl: Duration) -> Watch<'a> {
        Watch { withdrawals: self, open: Some((claim, ttl)) }
    }

    /// Waits for every withdrawal that is under way.
    pub(crate) async fn settle(&self) {
        loop {
            let task = self.running.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match task {
                // A stopped task means that the run is being torn down: nothing is left to wait for.
                Some(task) => drop(task.await),
                None => return,
            }
        }
    }

    fn start(&self, claim: Claim, ttl: Duration) {
        let task =
            self.env.spawn(withdraw(self.env.clone(), self.lock.clone(), self.holder, claim, ttl));
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}

/// Withdraws until it worked, or until the backend has dropped the claim by itself.
async fn withdraw(env: Env, lock: AnyLock, holder: HolderId, claim: Claim, ttl: Duration) {
    let give_up = env.now() + ttl;
    let mut pause = PAUSE;
    loop {
        let outcome = match lock.open(holder).await {
            Ok(mut session) => session.withdraw(&claim).await,
            Err(error) => Err(error),
        };
        let Err(error) = outcome else { return };
        if env.now() >= give_up {
            tracing::warn!(lock = %claim.lock, error = in_full(&error), "claim not withdrawn; its TTL has to end it");
            return;
        }
        env.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Starts a withdrawal when dropped, unless the answer came.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    withdrawals: &'a Withdrawals,
    open: Option<(&'a Claim, Duration)>,
}

impl Watch<'_> {
    /// The backend answered, so nothing is unknown.
    pub(crate) fn answered(mut self) {
        self.open = None;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some((claim, ttl)) = self.open.take() {
            self.withdrawals.start(claim.clone(), ttl);
        }
    }
}

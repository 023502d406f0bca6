//! A lock whose name arrived at run time: the erased twin of the two traits.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Claim, HolderId, Lease};

use crate::{Acquired, Inspect, Lock, LockSession, Released, Renewed, Result};

/// Any lock of the catalog, or your own.
#[derive(Clone, Debug)]
pub struct AnyLock(Arc<dyn ErasedLock>);

impl AnyLock {
    /// Forgets which lock this is.
    pub fn new(lock: impl Lock) -> Self {
        Self(Arc::new(lock))
    }
}

impl Lock for AnyLock {
    type Session = AnySession;

    async fn open(&self, holder: HolderId) -> Result<AnySession> {
        self.0.open(holder).await
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        self.0.inspect()
    }
}

/// A session of [`AnyLock`].
#[derive(Debug)]
pub struct AnySession(Box<dyn ErasedSession>);

impl LockSession for AnySession {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        self.0.acquire(claim, ttl).await
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        self.0.renew(lease, ttl).await
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        self.0.release(lease).await
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

trait ErasedLock: Debug + Send + Sync {
    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<AnySession>>;
    fn inspect(&self) -> Option<&dyn Inspect>;
}

impl<L: Lock> ErasedLock for L {
    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<AnySession>> {
        async move { Ok(AnySession(Box::new(Lock::open(self, holder).await?))) }.boxed()
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Lock::inspect(self)
    }
}

trait ErasedSession: Debug + Send {
    fn acquire<'a>(
        &'a mut self,
        claim: &'a Claim,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired>>;
    fn renew<'a>(
        &'a mut self,
        lease: &'a mut Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Renewed>>;
    fn release(&mut self, lease: Lease) -> BoxFuture<'_, Result<Released>>;
    fn withdraw<'a>(&'a mut self, claim: &'a Claim) -> BoxFuture<'a, Result<()>>;
}

impl<S: LockSession> ErasedSession for S {
    fn acquire<'a>(
        &'a mut self,
        claim: &'a Claim,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired>> {
        LockSession::acquire(self, claim, ttl).boxed()
    }

    fn renew<'a>(
        &'a mut self,
        lease: &'a mut Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Renewed>> {
        LockSession::renew(self, lease, ttl).boxed()
    }

    fn release(&mut self, lease: Lease) -> BoxFuture<'_, Result<Released>> {
        LockSession::release(self, lease).boxed()
    }

    fn withdraw<'a>(&'a mut self, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        LockSession::withdraw(self, claim).boxed()
    }
}

//! No lock at all: every claim is granted at once, to everyone.
//!
//! The control of every comparison, and the lock of the strategies whose guard does all the work (`row-lock`
//! is `none+row-lock`).

use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Lease};

use super::{LockEntry, Needs, Tokens};
use crate::{Acquired, AnyLock, Lock, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "none",
    summary: "no lock: everyone is granted at once",
    needs: Needs::Nothing,
    tokens: Tokens::None("it does not even exclude, so it has no order to give"),
    renews: false,
    control: None,
    build: |_, _, env| AnyLock::new(NoLock { env }),
};

#[derive(Debug)]
struct NoLock {
    env: Env,
}

impl Lock for NoLock {
    type Session = Session;

    async fn open(&self, _holder: HolderId) -> Result<Session> {
        Ok(Session { env: self.env.clone() })
    }
}

#[derive(Debug)]
struct Session {
    env: Env,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, _ttl: Duration) -> Result<Acquired> {
        let now = self.env.now();
        Ok(Acquired::Granted(Lease::unbounded(claim.clone(), now, now)))
    }

    async fn renew(&mut self, _lease: &mut Lease, _ttl: Duration) -> Result<Renewed> {
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, _lease: Lease) -> Result<Released> {
        Ok(Released::Owned)
    }

    async fn withdraw(&mut self, _claim: &Claim) -> Result<()> {
        Ok(())
    }
}

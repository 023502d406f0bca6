//! One key on a Redis server that has replicas: `SET key owner NX PX ttl`, then `WAIT n timeout`.
//!
//! Replication is asynchronous, so a replica that is promoted may not have a lock that was granted (failure mode F28).
//! [`WAIT`](https://redis.io/docs/latest/commands/wait/) blocks until `n` replicas have acknowledged every write of this
//! connection, or its time is over, and answers how many did; it does not fail. Hence:
//!
//! - the answer is compared with `n` (who leaves that out has waited for nothing, F29);
//! - a grant that too few have is taken back, and is no grant: a definite error once the primary has deleted the key, an
//!   indefinite one, which the driver withdraws, when that is not known;
//! - a renewal that too few have is unknown: the old validity, which they have, is all that may be trusted;
//! - a release waits for nobody. What a promoted replica has of it too much ends with its TTL.
//!
//! It does not make Redis consistent. With `n` smaller than the number of replicas the one that is promoted may be one
//! that did not acknowledge (F29), and a primary that is cut off goes on by itself until its replicas' silence is noticed.
//! Everything else is [`redis-set-nx`](super::redis_set_nx)'s, fencing tokens included: the counter is waited for as well.

use std::time::Duration;

use lockproof_model::{Claim, HolderId, Lease};
use redis::cmd;

use super::redis_set_nx::{RedisSetNx, Session as SetNx};
use super::{LockEntry, Needs, Tokens};
use crate::settings::whole_millis;
use crate::{Acquired, AnyLock, Lock, LockError, LockSession, Released, Renewed, Result};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redis-replicated",
    summary: "SET NX PX on a Redis with replicas, granted once WAIT says that enough of them have it",
    needs: Needs::ReplicatedRedis,
    tokens: Tokens::Drawn,
    renews: true,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(Replicated(RedisSetNx { settings, backends, env }))
    },
};

#[derive(Debug)]
struct Replicated(RedisSetNx);

impl Lock for Replicated {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        Ok(Session(self.0.open(holder).await?))
    }
}

#[derive(Debug)]
struct Session(SetNx);

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let mut lease = match self.0.acquire(claim, ttl).await? {
            Acquired::Granted(lease) => lease,
            Acquired::Held => return Ok(Acquired::Held),
        };
        let lacking = self.lacking().await?;
        lease.granted = self.0.env.now();
        let late = lease.remaining(lease.granted).is_zero();
        let Some(why) = lacking.or_else(|| late.then(|| "its TTL ended meanwhile".to_owned()))
        else {
            return Ok(Acquired::Granted(lease));
        };
        self.0.withdraw(claim).await.map_err(|error| {
            LockError::indefinite(format!("{why}, and it could not be taken back")).because(error)
        })?;
        Err(LockError::definite(format!("{why}; it was taken back")))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let mut renewed = lease.clone();
        if self.0.renew(&mut renewed, ttl).await? == Renewed::Lost {
            return Ok(Renewed::Lost);
        }
        match self.lacking().await? {
            Some(why) => Err(LockError::indefinite(why)),
            None => {
                *lease = renewed;
                Ok(Renewed::Extended)
            }
        }
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        self.0.release(lease).await
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        self.0.withdraw(claim).await
    }
}

impl Session {
    /// Waits for the replicas, and says so when too few of them have what was written.
    ///
    /// Any error is indefinite, one that the server answers with too: the write before it has taken effect.
    async fn lacking(&mut self) -> Result<Option<String>> {
        let SetNx { settings, link, .. } = &mut self.0;
        let (wanted, within) = (settings.replication.acknowledgements, settings.replication.within);
        let mut wait = cmd("WAIT");
        wait.arg(wanted).arg(whole_millis(within)?);
        let reached: u32 = link.query(&wait).await.map_err(|error| {
            LockError::indefinite("nobody knows how many replicas have it").because(error)
        })?;
        let lacks = || format!("{reached} of {wanted} replicas acknowledged it within {within:?}");
        Ok((reached < wanted).then(lacks))
    }
}

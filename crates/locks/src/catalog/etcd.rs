//! One key in etcd, written in a transaction if there is none, bound to an etcd lease.
//!
//! 1. grant an etcd lease of the TTL, by a number that follows from the owner value;
//! 2. in one transaction: `create_revision == 0` → put the owner value under the lease. Else somebody else has it;
//! 3. the revision of that transaction is the fencing token: etcd counts all its writes in one sequence, which a majority
//!    agrees on and no failure sets back;
//! 4. release deletes the key in a transaction that compares the owner value, then revokes the lease; revoking the lease
//!    undoes an acquire whose answer was lost, and nobody has to have seen its number.
//!
//! etcd counts a TTL in seconds, with a least one of its own (by its default settings 2 s): it keeps a lease longer than it
//! was asked to, never shorter. The TTL of a lease is fixed when it is granted, so a renewal extends by no more than that.
//!
//! What it cannot do: know that its holder was paused past the TTL (failure mode F01), or is cut off and goes on (F08).

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, FencingToken, HolderId, Lease, OwnerValue};

use super::{LockEntry, Needs, Tokens};
use crate::coordinator::Dial;
use crate::etcd::EtcdClient;
use crate::settings::whole_seconds;
use crate::{
    Acquired, AnyLock, Backends, Coordinator, Lock, LockSession, LockSettings, Released, Renewed,
    Result,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "etcd",
    summary: "a key under a lease in etcd, created by a transaction",
    needs: Needs::Coordinator(Coordinator::Etcd),
    tokens: Tokens::Drawn,
    renews: true,
    control: None,
    build: |settings, backends, env| AnyLock::new(Etcd { settings, backends, env }),
};

#[derive(Debug)]
struct Etcd {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
}

impl Lock for Etcd {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let dial = Dial::of(&self.backends, holder);
        let mut etcd = EtcdClient::new(dial, self.env.clone(), self.settings.time_limit);
        etcd.open().await?;
        Ok(Session { settings: self.settings.clone(), env: self.env.clone(), etcd })
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    env: Env,
    etcd: EtcdClient,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let seconds = whole_seconds(ttl)?;
        let invoked = self.env.now();
        let (key, lease) = (self.settings.plain_key(&claim.lock), lease_of(&claim.owner));
        self.etcd.grant(lease, seconds).await?;
        let Some(revision) = self.etcd.put_if_absent(&key, claim.owner.as_str(), lease).await?
        else {
            // That nobody has the lock by it is certain already; that the lease is gone is a courtesy to the server.
            drop(self.etcd.revoke(lease).await);
            return Ok(Acquired::Held);
        };
        let granted = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
        Ok(Acquired::Granted(if self.settings.draw_tokens {
            granted.with_fencing_token(FencingToken(revision))
        } else {
            granted
        }))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        whole_seconds(ttl)?;
        let invoked = self.env.now();
        let Claim { lock, owner } = &lease.claim;
        let Some(kept) = self.etcd.keep_alive(lease_of(owner)).await? else {
            return Ok(Renewed::Lost);
        };
        // A lease that stands says nothing of a key that somebody has deleted.
        let held = self.etcd.get(&self.settings.plain_key(lock)).await?;
        if held.is_none_or(|held| held.value != owner.as_str()) {
            return Ok(Renewed::Lost);
        }
        let ttl = ttl.min(kept);
        lease.invoked = invoked;
        lease.granted = self.env.now();
        lease.ttl = Some(ttl);
        lease.valid_until = invoked + ttl;
        Ok(Renewed::Extended)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let Claim { lock, owner } = &lease.claim;
        let key = self.settings.plain_key(lock);
        let was_ours = self.etcd.delete_if(&key, owner.as_str()).await?;
        // As after an acquire that was refused: it holds no key any more.
        drop(self.etcd.revoke(lease_of(owner)).await);
        Ok(if was_ours { Released::Owned } else { Released::Lost })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        // Also where the key is still on its way: a transaction that names a lease which is gone is refused.
        self.etcd.revoke(lease_of(&claim.owner)).await.map(drop)
    }
}

/// The number of the etcd lease of `owner`: its value folded to 63 bits (FNV-1a), since etcd takes positive numbers, and
/// never 0, by which it would draw one itself.
fn lease_of(owner: &OwnerValue) -> i64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let hash = owner.as_str().bytes().fold(OFFSET, fold);
    i64::try_from(hash >> 1).map_or(1, |number| number.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_lease_of_its_own() {
        let leases: Vec<_> =
            (0..1000).map(|bits| lease_of(&OwnerValue::from_bits(bits << 64))).collect();
        let mut distinct = leases.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() == leases.len() && distinct[0] > 0);
    }
}

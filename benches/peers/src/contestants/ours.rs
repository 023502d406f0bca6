//! Ours, through the driver that the workload uses, with recording on.

use std::sync::Arc;

use lockproof_env::{Env, live};
use lockproof_locks::{
    Acquisition, Drift, Driver, LockSettings, Policy, Released, SharedConnections, Wait, find,
};
use lockproof_model::{Effect, HolderId, LockName, Outcome, Step};
use redis::IntoConnectionInfo as _;

use super::TTL;
use super::pen::Pen;
use crate::measure::{Contestant, Holder};
use crate::servers::Servers;

/// `holders` of the lock called `lock`, on `count` servers.
pub(crate) fn lock<'a>(
    name: &str,
    lock: &str,
    servers: &'a Servers,
    count: usize,
    holders: u32,
) -> Contestant<'a> {
    let open = async {
        let env = live::env(1);
        let addresses = servers.addresses(count);
        let address = move |server: usize, _| {
            format!("redis://{}/", addresses[server]).into_connection_info()
        };
        let backends = Arc::new(SharedConnections::new(env.clone(), count, address));
        let entry = find(lock).expect("it is in the catalog");
        let lock = (entry.build)(LockSettings::default(), backends, env.fork("lock"));
        let policy = Policy { ttl: TTL, wait: Wait::NEVER, drift: Drift::default() };
        let mut ours = Vec::new();
        for holder in (1..=holders).map(HolderId) {
            let env = env.fork(&holder.to_string());
            let driver = Driver::open(env.clone(), &lock, holder, policy, live::entropy()).await;
            let driver = driver.expect("the servers answer");
            let lock = LockName::new(&format!("slot-{}", holder.0));
            ours.push(Ours { env, driver, lock, pen: Pen::new(holder) });
        }
        ours
    };
    Contestant::of(name, &servers.runtime, servers.runtime.block_on(open))
}

struct Ours {
    env: Env,
    driver: Driver,
    lock: LockName,
    pen: Pen,
}

impl Holder for Ours {
    async fn pair(&mut self) {
        self.pen.invoke(Step::Acquire, self.env.now());
        let acquired = self.driver.acquire(&self.lock).await.expect("the servers answer");
        let Acquisition::Granted { lease, requested, tries } = acquired else {
            panic!("{} is wanted by nobody else", self.lock)
        };
        let granted = Effect::Granted {
            owner: lease.claim.owner.clone(),
            requested,
            valid_until: lease.valid_until,
            fencing_token: lease.fencing_token,
            tries,
        };
        self.pen.complete(self.env.now(), Outcome::Ok(granted));
        self.pen.invoke(Step::Release, self.env.now());
        let released = self.driver.release(lease).await.expect("the servers answer");
        assert_eq!(released, Released::Owned, "{} expired", self.lock);
        let released = Effect::Released { owned: true };
        self.pen.complete(self.env.now(), Outcome::Ok(released));
    }

    fn sample_has_ended(&mut self) {
        assert!(!self.pen.take().is_empty(), "nothing was recorded");
    }
}

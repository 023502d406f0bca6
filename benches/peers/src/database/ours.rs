//! Ours: a lock through the driver that the workload uses, and the row of a slot through the store's primitives.

use lockproof_bookings::{Connection, RowLock, TransactionMode};
use lockproof_env::live;
use lockproof_locks::{Acquisition, Drift, Driver, LockSettings, Policy, Released, Wait, find};
use lockproof_model::{HolderId, LockName, SlotId};
use lockproof_rig::System;
use lockproof_rig::live::LiveRig;
use tokio::runtime::Runtime;

use crate::contestants::TTL;
use crate::measure::{Contestant, Holder};

/// So many holders of the lock called `name`; of `row-lock`, which is a guard, transactions.
pub(super) fn contestant<'a>(
    runtime: &'a Runtime,
    rig: &LiveRig,
    name: &str,
    holders: u32,
) -> Contestant<'a> {
    let Some(entry) = find(name) else {
        let store = rig.store();
        let open = async {
            let mut rows = Vec::new();
            for holder in 1..=holders {
                let connection = store.open(HolderId(holder)).await.expect("Postgres answers");
                rows.push(Row { connection, slot: SlotId(holder) });
            }
            rows
        };
        return Contestant::of(name, runtime, runtime.block_on(open));
    };
    let _timers = runtime.enter();
    let env = live::env(1);
    let lock = (entry.build)(LockSettings::default(), rig.backends(), env.fork("lock"));
    let policy = Policy { ttl: TTL, wait: Wait::NEVER, drift: Drift::default() };
    let open = async {
        let mut locks = Vec::new();
        for holder in 1..=holders {
            let env = env.fork(&holder.to_string());
            let driver = Driver::open(env, &lock, HolderId(holder), policy, live::entropy()).await;
            let driver = driver.expect("Postgres answers");
            locks.push(Locked { driver, lock: LockName::new(&format!("slot-{holder}")) });
        }
        locks
    };
    Contestant::of(name, runtime, runtime.block_on(open))
}

struct Locked {
    driver: Driver,
    lock: LockName,
}

impl Holder for Locked {
    async fn pair(&mut self) {
        let acquired = self.driver.acquire(&self.lock).await.expect("Postgres answers");
        let Acquisition::Granted { lease, .. } = acquired else {
            panic!("{} is wanted by nobody else", self.lock)
        };
        let released = self.driver.release(lease).await.expect("Postgres answers");
        assert_eq!(released, Released::Owned, "{} expired", self.lock);
    }
}

struct Row {
    connection: Box<dyn Connection>,
    slot: SlotId,
}

impl Holder for Row {
    async fn pair(&mut self) {
        let begun = self.connection.begin(TransactionMode::RowLocking).await;
        begun.expect("Postgres answers");
        let row = self.connection.read_slot(self.slot, RowLock::ForUpdate).await;
        row.expect("Postgres answers");
        self.connection.commit().await.expect("Postgres answers");
    }
}

//! Redlock while one of its three servers stands still (failure mode F23).

use lockproof_env::live;
use lockproof_locks::{Acquisition, Drift, Driver, LockSettings, Policy, Wait, find};
use lockproof_model::{HolderId, LockName};
use lockproof_rig::live::LiveRig;
use lockproof_rig::{Link, Rig, ServerEffect, System};
use tokio::runtime::Runtime;

use crate::contestants::TTL;
use crate::say;

const ACQUIRES: usize = 200;
/// Of the time limit for each server.
const MOST: f64 = 1.2;

/// Whether the 99th of a hundred acquires is over in time.
pub(super) fn holds(runtime: &Runtime, rig: &LiveRig) -> bool {
    let settings = LockSettings::default();
    let limit = settings.server_time_limit;
    let taken = runtime.block_on(async {
        let env = live::env(1);
        let entry = find("redlock").expect("it is in the catalog");
        let lock = (entry.build)(settings, rig.backends(), env.fork("lock"));
        let policy = Policy { ttl: TTL, wait: Wait::NEVER, drift: Drift::default() };
        let driver = Driver::open(env.clone(), &lock, HolderId(1), policy, live::entropy()).await;
        let mut driver = driver.expect("the servers answer");
        let frozen = rig.afflict(&[Link::Redis(0)], ServerEffect::Pause).await;
        let frozen = frozen.expect("a server can be paused");
        let mut taken = Vec::new();
        for number in 0..ACQUIRES {
            let asked = env.now();
            let acquired = driver.acquire(&LockName::new(&format!("slot-{number}"))).await;
            taken.push(env.now().saturating_since(asked));
            let Ok(Acquisition::Granted { lease, .. }) = acquired else {
                panic!("two of three answer: {acquired:?}")
            };
            // What it comes to on the server that stands still is nobody's concern here.
            drop(driver.release(lease).await);
        }
        frozen.heal().await.expect("a server can be resumed");
        driver.settle().await;
        taken.sort_unstable();
        taken
    });
    let (p50, p99) = (taken[taken.len() / 2], taken[taken.len() * 99 / 100]);
    let holds = p99 <= limit.mul_f64(MOST);
    say(&format!(
        "{} redlock, 1 of 3 servers frozen: acquire p50 {p50:?}, p99 {p99:?}, at most {MOST} × {limit:?}",
        if holds { "✔" } else { "✘" }
    ));
    holds
}

//! The rig of one case.

use lockproof_bookings::{Constraints, Layout};
use lockproof_env::{Env, live};
use lockproof_locks::LockSettings;
use lockproof_rig::live::LiveRig;
use lockproof_rig::{LinkUse, RigPlan};

use crate::Servers;
use crate::servers::standing;

/// Decides owner values and nothing that takes time.
const SEED: u64 = 1;

/// The rig of one case, and what its holders take time and randomness from. Dropping it stops what is the
/// case's own.
#[derive(Debug)]
pub struct World<'a> {
    /// The system under test.
    pub rig: LiveRig,
    /// The case's own; holders get forks of it.
    pub env: Env,
    servers: &'a Servers,
}

impl<'a> World<'a> {
    /// Redis servers of its own for `holders`, and tables that nobody asks for anything.
    ///
    /// # Panics
    /// When a server does not start.
    #[must_use]
    pub fn of_locks(
        servers: &'a Servers,
        name: &str,
        holders: u32,
        redis_servers: usize,
        lock: &LockSettings,
    ) -> Self {
        let layout = Layout { slots: 1, capacity: 1, constraints: Constraints::NONE };
        let lock = lock.clone();
        Self::start(servers, RigPlan { holders, redis_servers, lock, ..plan(name, layout) })
    }

    /// Tables of its own as `layout` has them, and no Redis server.
    ///
    /// # Panics
    /// When the database does not start.
    #[must_use]
    pub fn of_bookings(servers: &'a Servers, name: &str, layout: Layout) -> Self {
        Self::start(servers, plan(name, layout))
    }

    fn start(servers: &'a Servers, plan: RigPlan) -> Self {
        servers.runtime().block_on(async {
            let env = live::env(SEED);
            let rig = standing(LiveRig::start(&env, servers.provider(), plan).await);
            Self { rig, env, servers }
        })
    }

    /// Runs `future` to its end, on the thread that all holders share.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.servers.runtime().block_on(future)
    }
}

fn plan(name: &str, layout: Layout) -> RigPlan {
    RigPlan {
        needs: lockproof_rig::ServerNeeds::default(),
        name: name.to_owned(),
        holders: 1,
        redis_servers: 0,
        links: LinkUse::Direct,
        lock: LockSettings::default(),
        coordinator: None,
        topology: lockproof_rig::Topology::default(),
        database: lockproof_rig::DatabasePlan::default(),
        layout,
        seed: SEED,
    }
}

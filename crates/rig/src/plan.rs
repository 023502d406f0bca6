//! What a scenario asks of a rig.

use lockproof_bookings::Layout;
use lockproof_locks::LockSettings;

use crate::ServerNeeds;

/// One cell's system under test.
#[derive(Clone, Debug)]
pub struct RigPlan {
    /// A word for file names and schemas: letters, digits and dashes.
    pub name: String,
    /// How many holders there are, each with a group of its own.
    pub holders: u32,
    /// How many Redis servers the lock runs on.
    pub redis_servers: usize,
    /// Which links faults will disturb.
    pub links: LinkUse,
    /// The lock's settings, of which the rig needs the key prefix.
    pub lock: LockSettings,
    /// What faults will ask of the Redis servers.
    pub needs: ServerNeeds,
    /// The tables.
    pub layout: Layout,
    /// Decides what toxics draw.
    pub seed: u64,
}

/// How holders reach the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkUse {
    /// Directly: no fault touches a link, so none pays for a proxy.
    Direct,
    /// Through one proxy per server, over a connection that the holders share.
    Shared,
    /// Through one proxy per holder and server, over a connection of the holder's own: faults tell holders apart.
    PerHolder,
}

//! Provider `container`: redis-server and Postgres in containers of an engine that answers.
//!
//! Behind the feature `container`, since asking an engine takes ninety packages more. Images are those of the official
//! names unless a run names others; `cargo xtask image` makes some from what this machine has.

#[cfg(feature = "container")]
mod engine;
#[cfg(feature = "container")]
mod postgres;
#[cfg(feature = "container")]
mod redis;
#[cfg(feature = "container")]
mod servers;

use super::provider::ProviderEntry;
use crate::{DatabaseEngine, Keeps, ServerEffect, ServerKind, Topology};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "container",
    summary: "redis-server and Postgres in containers; needs an engine, and a build with --features container",
    databases: &[DatabaseEngine::Postgres],
    refuses: |kind, effect| match (kind, effect) {
        (_, ServerEffect::ClockJump { .. } | ServerEffect::ClockRate(_)) => {
            Some("the library that moves a clock is made for this machine, and not for an image")
        }
        (_, ServerEffect::Failover { .. }) => Some("it has no replica"),
        (_, ServerEffect::FillDisk) => Some("its disk is the engine's"),
        (ServerKind::Redis, ServerEffect::Crash { keeps: Keeps::EverySecond }) => {
            Some("its append-only file is inside the container")
        }
        _ => None,
    },
    refuses_topology: |topology| {
        (topology != Topology::Independent)
            .then_some("servers that tell clients where they are name addresses inside the engine")
    },
    refuses_coordinators: Some("it has no image of one"),
    refuses_replicas: Some("its servers have none"),
    shared: false,
    start,
};

#[cfg(feature = "container")]
use servers::start;

#[cfg(not(feature = "container"))]
fn start(
    _servers: &crate::ExternalServers,
) -> Result<std::sync::Arc<dyn super::provider::Provider>, crate::RigError> {
    Err(crate::RigError::new(
        "this lockproof was built without the provider container; build one with it: cargo build --release --features container",
    ))
}

/// The engine that answers, or why this program cannot ask one.
pub(super) fn look() -> Result<String, String> {
    #[cfg(feature = "container")]
    return engine::look();
    #[cfg(not(feature = "container"))]
    Err("this lockproof was built without it: cargo build --release --features container"
        .to_owned())
}

//! The live world: real sockets, real servers, real time.

mod background;
mod children;
mod embedded;
mod links;
mod postgres;
mod probe;
mod process;
mod provider;
mod redis_server;
mod rig;
mod workspace;

pub use probe::{Probe, probes};
pub use provider::{Database, PROVIDERS, Provider, ProviderEntry, RedisServer, find_provider};
pub use rig::LiveRig;

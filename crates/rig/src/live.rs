//! The live world: real sockets, real servers, real time.

mod background;
mod children;
mod embedded;
mod external;
mod links;
mod postgres;
mod probe;
mod process;
mod provider;
mod redis_server;
mod rig;
mod straight;
mod workspace;

pub use external::{Inspected, Swept, inspect, sweep_servers};
pub use probe::{Probe, probes};
pub use provider::{Database, PROVIDERS, Provider, ProviderEntry, RedisServer, find_provider};
pub use rig::LiveRig;

//! The live world: real sockets, real servers, real time.

mod append_only;
mod background;
mod children;
mod control;
mod disturbed;
mod embedded;
mod embedded_server;
mod external;
mod holders;
mod links;
mod pipe;
mod places;
mod postgres;
mod probe;
mod process;
mod process_state;
mod provider;
mod redis_control;
mod redis_server;
mod replica;
mod rig;
mod straight;
mod workspace;

pub use external::{Inspected, Swept, inspect, sweep_servers};
pub use holders::{HolderProcess, HolderProgram, holder_line};
pub use pipe::{PipeReader, PipeWriter};
pub use places::Places;
pub use probe::{Probe, probes};
pub use provider::{Database, PROVIDERS, Provider, ProviderEntry, RedisServer, find_provider};
pub use rig::LiveRig;

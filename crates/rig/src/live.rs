//! The live world: real sockets, real servers, real time.

mod adapters;
mod append_only;
mod background;
mod children;
mod container;
mod control;
mod coordinator;
mod database_control;
mod disturbed;
mod drivers;
mod embedded;
mod embedded_server;
mod external;
mod group;
mod guardian;
mod holders;
mod links;
mod mariadb;
mod own_server;
mod pipe;
mod places;
mod postgres;
mod probe;
mod process;
mod process_state;
mod process_tree;
mod provider;
mod redis_cluster;
mod redis_control;
mod redis_server;
mod replica;
mod rig;
mod sentinel;
mod service;
mod sessions;
mod small_disk;
mod straight;
mod workspace;

pub use coordinator::{CoordinatorServer, CoordinatorView, dial_to};
pub use drivers::{DRIVERS, DriverEntry, find_driver, usual_driver};
pub use external::{Inspected, Swept, inspect, sweep_servers};
pub use group::RedisGroup;
pub use holders::{HolderProcess, HolderProgram, holder_line};
pub use pipe::{PipeReader, PipeWriter};
pub use places::Places;
pub use probe::{Probe, probes};
pub use provider::{
    Database, OwnDatabase, PROVIDERS, Provider, ProviderEntry, RedisServer, find_provider,
};
pub use rig::LiveRig;
pub use service::{ServicePlaces, ServiceProcess, ServiceProgram};

/// Whether the provider `container` was built in.
pub const HAS_CONTAINERS: bool = cfg!(feature = "container");

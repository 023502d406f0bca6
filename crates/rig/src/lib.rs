//! The system under test: servers, the links to them, and holders, all of which a fault can reach.
//!
//! ```text
//!   holder 1 ─┐   link redis-1 ┌───────┐
//!   holder 2 ─┼───────────────▶│ proxy │──▶ redis 1      servers come from a Provider:
//!   holder n ─┘                └───────┘                 embedded (redis model, SQLite),
//!      │ a group of tasks each, or a process            process (redis-server, Postgres, MariaDB) or external (URLs)
//!      └── link database ─────────────────▶ postgres
//! ```
//!
//! A [`Rig`] is what faults act on; [`live::LiveRig`] is the one of real sockets, servers and time. Links go
//! through a proxy only where a scenario disturbs them, since a proxy costs latency.
//!
//! **Architecture invariant:** nothing that a rig starts outlives the program, not even after kill -9: child
//! processes carry a parent-death signal, and the temporary directories of killed runs are swept by the next one, as
//! are their keys and schemas on servers of others, and nothing else there.

mod adapter;
mod database_locks;
mod error;
mod external_servers;
mod hidden;
mod holders;
mod link_rule;
pub mod live;
mod plan;
mod rig;
mod server;
pub mod sim;
mod system;

pub use adapter::Adapter;
pub use error::RigError;
pub use external_servers::{
    ContainerImages, CoordinatorUrl, DatabaseUrl, ExternalServers, RedisUrl, ServerUrlError,
};
pub use holders::{HolderAffliction, HolderEffect};
pub use link_rule::{Deed, LinkRule, MessageChoice, Pattern, Protocol, RuleError, SpokenRequest};
pub use plan::{DatabaseEngine, DatabasePlan, LinkUse, RigPlan, SessionLimits, Topology};
pub use rig::{
    Affliction, Direction, Disturbance, Expired, Link, LinkEffect, LinkSelector, ParseLinkError,
    Rig,
};
pub use server::{Keeps, ServerEffect, ServerKind, ServerNeeds};
pub use system::System;

//! Every lock, in documentation order. To add one: its file, and its two lines here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;

use crate::{AnyLock, Backends, Coordinator, LockSettings};

mod etcd;
mod external;
mod none;
mod redis_get_then_del;
mod redis_naive_del;
mod redis_no_withdraw;
mod redis_renew_by_set;
mod redis_replicated;
mod redis_set_nx;
mod redis_set_nx_get;
mod redis_setnx_expire;
mod redis_shared_owner;
mod redis_timestamp_steal;
mod redis_ttl_in_seconds;
mod redlock;
mod redlock_no_cleanup;
mod redlock_no_elapsed_check;
mod redlock_release_on_failed_renew;
mod zookeeper;

pub use external::EXTERNAL;

/// Every lock that a strategy can name by itself.
pub const ENTRIES: &[LockEntry] = &[
    none::ENTRY,
    redis_set_nx::ENTRY,
    redis_set_nx_get::ENTRY,
    redis_replicated::ENTRY,
    redlock::ENTRY,
    etcd::ENTRY,
    zookeeper::ENTRY,
    redis_naive_del::ENTRY,
    redis_get_then_del::ENTRY,
    redis_setnx_expire::ENTRY,
    redis_no_withdraw::ENTRY,
    redis_shared_owner::ENTRY,
    redis_ttl_in_seconds::ENTRY,
    redis_renew_by_set::ENTRY,
    redis_timestamp_steal::ENTRY,
    redlock_no_elapsed_check::ENTRY,
    redlock_no_cleanup::ENTRY,
    redlock_release_on_failed_renew::ENTRY,
];

/// The lock of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static LockEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// What the rest of the program knows of a lock.
#[derive(Clone, Copy)]
pub struct LockEntry {
    /// As scenarios spell it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// What it runs on.
    pub needs: Needs,
    /// Whether it can draw fencing tokens.
    pub tokens: Tokens,
    /// Whether a lease can be made to last longer.
    pub renews: bool,
    /// Why it is unsafe on purpose, for a control that a test must see fail; `None` for a lock to use.
    pub control: Option<&'static str>,
    /// Makes one.
    pub build: fn(LockSettings, Arc<dyn Backends>, Env) -> AnyLock,
}

impl fmt::Debug for LockEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The servers that a lock runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// None at all.
    Nothing,
    /// One Redis.
    OneRedis,
    /// One Redis that has replicas.
    ReplicatedRedis,
    /// Several Redis servers that know nothing of each other; so many unless the scenario says otherwise.
    IndependentRedis(usize),
    /// A coordination service.
    Coordinator(Coordinator),
}

impl Needs {
    /// How many Redis servers that is by default.
    #[must_use]
    pub const fn redis_servers(self) -> usize {
        match self {
            Self::Nothing | Self::Coordinator(_) => 0,
            Self::OneRedis | Self::ReplicatedRedis => 1,
            Self::IndependentRedis(count) => count,
        }
    }

    /// The coordination service that it is, where it is one.
    #[must_use]
    pub const fn coordinator(self) -> Option<Coordinator> {
        match self {
            Self::Coordinator(service) => Some(service),
            _ => None,
        }
    }

    /// What a TTL is counted in there: a shorter one cannot be asked for, nor a fraction of it.
    #[must_use]
    pub const fn ttl_unit(self) -> Duration {
        match self {
            Self::Coordinator(service) => service.ttl_unit(),
            _ => Duration::from_millis(1),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("–"),
            Self::OneRedis => f.write_str("redis×1"),
            Self::ReplicatedRedis => f.write_str("redis×1 and replicas"),
            Self::IndependentRedis(_) => f.write_str("redis×N"),
            Self::Coordinator(service) => service.fmt(f),
        }
    }
}

/// Whether a lock can draw fencing tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// With each grant, when it is built to.
    Drawn,
    /// It has none to give, for this reason.
    None(&'static str),
}

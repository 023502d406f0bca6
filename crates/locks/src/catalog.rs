//! Every lock, in documentation order. To add one: its file, and its two lines here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;

use crate::{AnyLock, Backends, Coordinator, InDatabase, LockSettings};

mod etcd;
mod external;
mod lease_row;
mod lease_row_client_time;
mod mysql_get_lock;
mod none;
mod pg_advisory_pooled;
mod pg_advisory_session;
mod pg_advisory_shared_session;
mod pg_advisory_short_key;
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
    lease_row::ENTRY,
    pg_advisory_session::ENTRY,
    mysql_get_lock::ENTRY,
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
    lease_row_client_time::ENTRY,
    pg_advisory_pooled::ENTRY,
    pg_advisory_shared_session::ENTRY,
    pg_advisory_short_key::ENTRY,
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
    /// The database that keeps the bookings, and of it this.
    Database(InDatabase),
    /// A coordination service.
    Coordinator(Coordinator),
}

impl Needs {
    /// How many Redis servers that is by default.
    #[must_use]
    pub const fn redis_servers(self) -> usize {
        match self {
            Self::Nothing | Self::Database(_) | Self::Coordinator(_) => 0,
            Self::OneRedis | Self::ReplicatedRedis => 1,
            Self::IndependentRedis(count) => count,
        }
    }

    /// Why it cannot be had where bookings are kept by `engine`, where it cannot.
    #[must_use]
    pub fn refuses(self, engine: &str) -> Option<&'static str> {
        self.database()?.refuses(engine)
    }

    /// What it uses of the database, where it is there.
    #[must_use]
    pub const fn database(self) -> Option<InDatabase> {
        match self {
            Self::Database(use_of_it) => Some(use_of_it),
            _ => None,
        }
    }

    /// Whether a grant ends by itself, once its TTL has passed.
    #[must_use]
    pub const fn ends_by_itself(self) -> bool {
        match self {
            Self::Database(use_of_it) => use_of_it.ends_by_itself(),
            Self::Nothing => false,
            _ => true,
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
            Self::Database(use_of_it) => use_of_it.fmt(f),
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

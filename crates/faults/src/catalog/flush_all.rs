//! `flush-all`: somebody says FLUSHALL to Redis servers, at once.
//!
//! A script for the wrong host, a test that cleans up after itself, a cache that shares its Redis with the locks: every
//! key goes, locks and counters of fencing tokens among them (failure modes F56, F60).

use futures_util::future::BoxFuture;
use std::sync::Arc;

use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Worlds};
use crate::links::names;
use crate::servers::{REDIS_SERVERS, afflict, redis_servers};
use crate::{Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "flush-all",
    summary: "somebody says FLUSHALL to Redis servers, at once",
    fields: &[REDIS_SERVERS],
    build: |arguments| Ok(Arc::new(FlushAll { servers: redis_servers(arguments)? })),
    worlds: Worlds::Both,
    // To a lock it is what `evict` is.
    draw: None,
};

#[derive(Debug)]
struct FlushAll {
    servers: Vec<LinkSelector>,
}

impl Fault for FlushAll {
    fn label(&self) -> String {
        format!("flush-all {}", names(&self.servers))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn harms_others(&self) -> Option<&'static str> {
        Some("deletes every key on the server, theirs too")
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::Flush)
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(rig, &self.servers, ServerEffect::Flush, "there was no key")
    }
}

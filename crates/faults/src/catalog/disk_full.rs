//! `disk-full`: the database's disk has no room left until healed.
//!
//! What needs more of it fails: a table that grows, sooner or later the log of changes. What fits into pages that are
//! there goes on, so that a full disk looks like errors here and there.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Worlds};
use crate::servers::afflict;
use crate::{Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "disk-full",
    summary: "the database's disk has no room left until healed",
    fields: &[],
    build: |_| Ok(Arc::new(DiskFull)),
    worlds: Worlds::LiveOnly,
    draw: None,
};

/// The database's alone: Redis keeps locks in memory.
const SERVERS: &[LinkSelector] = &[LinkSelector::Database];

#[derive(Debug)]
struct DiskFull;

impl Fault for DiskFull {
    fn label(&self) -> String {
        "disk-full".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::Servers(SERVERS.to_vec())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::FillDisk)
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(rig, SERVERS, ServerEffect::FillDisk, "there was room left")
    }
}

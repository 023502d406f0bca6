//! `evict`: Redis servers drop every key, at once.
//!
//! Memory was short under `allkeys-lru`, or somebody said FLUSHALL: locks and counters of fencing tokens are keys like
//! any other (failure modes F34, F56, F60).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::names;
use crate::servers::{REDIS_SERVERS, afflict, redis_servers};
use crate::{Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "evict",
    summary: "Redis servers drop every key, at once",
    fields: &[REDIS_SERVERS],
    build: |arguments| Ok(Arc::new(Evict { servers: redis_servers(arguments)? })),
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 1, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    if ground.keeps_tokens {
        return None;
    }
    let servers = dice.one_server(ground)?;
    let when = dice.at_once_or_from(dice.step_inside(ground), ground);
    Some(dice.fault("evict", [("servers", servers)], when))
}

#[derive(Debug)]
struct Evict {
    servers: Vec<LinkSelector>,
}

impl Fault for Evict {
    fn label(&self) -> String {
        format!("evict {}", names(&self.servers))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::Evict)
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(rig, &self.servers, ServerEffect::Evict, "there was no key")
    }
}

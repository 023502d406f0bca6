//! `expire-lock`: the servers drop the lock under its holder.
//!
//! What eviction, FLUSHALL, a restart without persistence, a clock jump or a failover do to a lock, without naming
//! the cause (failure modes F28, F30, F32, F34).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Instant;
use lockproof_rig::{Expired, Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "expire-lock",
    summary: "every server drops the lock that a holder has, as if its TTL had ended",
    fields: &[],
    build: |_| Ok(Arc::new(ExpireLock)),
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    // It drops the lock's own key, and no counter of tokens.
    let at = (ground.redis_servers > 0).then(|| dice.step_inside(ground))?;
    Some(dice.fault("expire-lock", [], dice.at_once(at, ground)))
}

#[derive(Debug)]
struct ExpireLock;

impl Fault for ExpireLock {
    fn label(&self) -> String {
        "expire-lock".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::LockOfHolder
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        async move {
            let Some(occurrence) = occasion.occurrence else {
                return Err(RigError::new("expire-lock needs a holder's step to fire at"));
            };
            let expired = rig.expire_lock(&occurrence.lock).await?;
            Ok(Box::new(Dropped(expired)) as Box<dyn Injection>)
        }
        .boxed()
    }
}

#[derive(Debug)]
struct Dropped(Expired);

impl Injection for Dropped {
    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        let Expired { held_on, servers } = self.0;
        let observed = format!("the lock was gone from {held_on} of {servers} servers");
        std::future::ready(Healed { bit: held_on > 0, observed }).boxed()
    }
}

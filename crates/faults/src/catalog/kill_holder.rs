//! `kill-holder`: a holder dies where it stands, and is started again when healed.
//!
//! A crash, an OOM kill, a deployment: its tasks are dropped, or its process gets SIGKILL, and cleans up nothing. What it had sent is on its way all
//! the same, its lock stands until the TTL ends, and a commit without an answer may or may not have happened (failure
//! modes F15, F17, F53).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Instant, in_full};
use lockproof_rig::{HolderAffliction, HolderEffect, Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::fault::with_evidence;
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "kill-holder",
    summary: "a holder dies where it stands (its process by SIGKILL) and cleans up nothing; it is started again when healed",
    fields: &[],
    build: |_| Ok(Arc::new(KillHolder)),
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 3, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    Some(dice.fault("kill-holder", [], dice.at(dice.step(ground), ground)))
}

#[derive(Debug)]
struct KillHolder;

impl Fault for KillHolder {
    fn label(&self) -> String {
        "kill-holder".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::Holder
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let holders = occasion.victims(rig);
        async move {
            let killed = rig.afflict_holders(&holders, HolderEffect::Kill).await?;
            let at_step = occasion.occurrence.is_some();
            Ok(Box::new(Killed { killed, since: occasion.at, at_step }) as Box<dyn Injection>)
        }
        .boxed()
    }
}

/// Dropped, they may be started again.
#[derive(Debug)]
struct Killed {
    killed: Box<dyn HolderAffliction>,
    since: Instant,
    at_step: bool,
}

impl Injection for Killed {
    /// Or it would take its next step in the poll that killed it.
    fn holds_step(&self) -> bool {
        self.at_step
    }

    fn heal(self: Box<Self>, now: Instant) -> BoxFuture<'static, Healed> {
        let dead = now.saturating_since(self.since).as_millis();
        let names: Vec<_> = self.killed.hit().iter().map(ToString::to_string).collect();
        async move {
            match self.killed.heal().await {
                Ok(_) if names.is_empty() => Healed::toothless("nobody was alive to be killed"),
                Ok(seen) => {
                    let died = format!("{} died, started again after {dead} ms", names.join(", "));
                    Healed { bit: true, observed: with_evidence(died, &seen) }
                }
                Err(error) => Healed::toothless(in_full(&error)),
            }
        }
        .boxed()
    }
}

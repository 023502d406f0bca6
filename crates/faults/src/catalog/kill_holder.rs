//! `kill-holder`: a holder dies where it stands, and is started again when healed.
//!
//! A crash, an OOM kill, a deployment: its tasks are dropped and clean up nothing. What it had sent is on its way all
//! the same, its lock stands until the TTL ends, and a commit without an answer may or may not have happened (failure
//! modes F15, F17, F53).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Group;
use lockproof_model::{HolderId, Instant};
use lockproof_rig::{Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "kill-holder",
    summary: "a holder dies where it stands and cleans up nothing; it is started again when healed",
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
        let holders = match occasion.occurrence {
            Some(occurrence) => vec![occurrence.holder],
            None if occasion.holders.is_empty() => rig.holders(),
            None => occasion.holders.to_vec(),
        };
        // Nobody dies twice: who is dead already is another injection's to start again.
        let alive = |holder| {
            let group = rig.group(holder)?;
            (!group.is_killed()).then_some((holder, group))
        };
        let killed = Killed {
            groups: holders.into_iter().filter_map(alive).collect(),
            since: occasion.at,
            at_step: occasion.occurrence.is_some(),
        };
        killed.groups.iter().for_each(|(_, group)| group.kill());
        let injection: Box<dyn Injection> = Box::new(killed);
        std::future::ready(Ok(injection)).boxed()
    }
}

#[derive(Debug)]
struct Killed {
    groups: Vec<(HolderId, Group)>,
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
        let names: Vec<_> = self.groups.iter().map(|(holder, _)| holder.to_string()).collect();
        let healed = if names.is_empty() {
            Healed { bit: false, observed: "nobody was alive to be killed".to_owned() }
        } else {
            let observed = format!("{} died, started again after {dead} ms", names.join(", "));
            Healed { bit: true, observed }
        };
        std::future::ready(healed).boxed()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.groups.iter().for_each(|(_, group)| group.restart());
    }
}

//! `pause-holder`: a holder stands still while time goes on.
//!
//! A garbage collection, a SIGSTOP, a virtual machine that is moved: none of the holder's tasks is polled, its
//! timers run out and its answers arrive unread (failure modes F01, F02, F04).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Group;
use lockproof_model::{HolderId, Instant};
use lockproof_rig::{Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "pause-holder",
    summary: "a holder's tasks are not polled while time goes on",
    fields: &[],
    build: |_| Ok(Arc::new(PauseHolder)),
    worlds: Worlds::Both,
    // The bread and butter: nothing else breaks so many locks.
    draw: Some(Draw { weight: 6, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let at = if dice.chance(3, 4) { dice.step_inside(ground) } else { dice.step(ground) };
    if dice.chance(9, 10) {
        return Some(dice.fault("pause-holder", [], dice.at(at, ground)));
    }
    // By the time line one alone: where all stand still, nobody takes what the others hold.
    let whom = [("holders", format!("[{}]", 1 + dice.below(u64::from(ground.holders))))];
    Some(dice.fault("pause-holder", whom, dice.window(ground)))
}

#[derive(Debug)]
struct PauseHolder;

impl Fault for PauseHolder {
    fn label(&self) -> String {
        "pause-holder".to_owned()
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
        let paused = Paused {
            groups: holders
                .into_iter()
                .filter_map(|holder| Some((holder, rig.group(holder)?)))
                .collect(),
            since: occasion.at,
            valid_until: occasion.occurrence.and_then(|occurrence| occurrence.valid_until),
            at_step: occasion.occurrence.is_some(),
        };
        paused.groups.iter().for_each(|(_, group)| group.pause());
        let injection: Box<dyn Injection> = Box::new(paused);
        std::future::ready(Ok(injection)).boxed()
    }
}

#[derive(Debug)]
struct Paused {
    groups: Vec<(HolderId, Group)>,
    since: Instant,
    /// The end of the paused holder's lease, which tells whether the pause outlasted it.
    valid_until: Option<Instant>,
    at_step: bool,
}

impl Injection for Paused {
    fn holds_step(&self) -> bool {
        self.at_step
    }

    fn heal(self: Box<Self>, now: Instant) -> BoxFuture<'static, Healed> {
        let still = now.saturating_since(self.since);
        let lease = match self.valid_until {
            Some(end) if now > end => {
                format!("; its lease had ended {} ms before", millis(now.saturating_since(end)))
            }
            Some(end) if end < Instant::FAR_FUTURE => "; its lease still stood".to_owned(),
            _ => String::new(),
        };
        let bit = !self.groups.is_empty() && !still.is_zero();
        let observed = format!("stood still for {} ms{lease}", millis(still));
        std::future::ready(Healed { bit, observed }).boxed()
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.groups.iter().for_each(|(_, group)| group.resume());
    }
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}

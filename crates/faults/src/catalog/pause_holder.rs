//! `pause-holder`: a holder stands still while time goes on.
//!
//! A garbage collection, a SIGSTOP, a virtual machine that is moved: none of the holder's tasks is polled, or its
//! process is stopped for real; its timers run out and its answers arrive unread (failure modes F01, F02, F04).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Instant, in_full};
use lockproof_rig::{HolderAffliction, HolderEffect, Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::fault::with_evidence;
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "pause-holder",
    summary: "a holder stands still while time goes on: its tasks are not polled, its process gets SIGSTOP",
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
        let holders = occasion.victims(rig);
        async move {
            let paused = Paused {
                paused: rig.afflict_holders(&holders, HolderEffect::Pause).await?,
                since: occasion.at,
                valid_until: occasion.occurrence.and_then(|occurrence| occurrence.valid_until),
                at_step: occasion.occurrence.is_some(),
            };
            Ok(Box::new(paused) as Box<dyn Injection>)
        }
        .boxed()
    }
}

/// Dropped, they go on.
#[derive(Debug)]
struct Paused {
    paused: Box<dyn HolderAffliction>,
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
        let hit = !self.paused.hit().is_empty() && !still.is_zero();
        let stood_still = format!("stood still for {} ms{lease}", millis(still));
        async move {
            match self.paused.heal().await {
                Ok(seen) => Healed { bit: hit, observed: with_evidence(stood_still, &seen) },
                Err(error) => Healed::toothless(in_full(&error)),
            }
        }
        .boxed()
    }
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}

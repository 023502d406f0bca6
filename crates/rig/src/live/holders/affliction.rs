//! What faults do to holders' processes, and the proof of each.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::HolderId;

use super::seat::{GoesOn, ProcessSeat};
use crate::live::process_state::{stood_still, went_on};
use crate::live::process_tree::stop_families;
use crate::{HolderAffliction, HolderEffect, RigError};

/// Processes that suffer something.
#[derive(Debug)]
pub(super) struct ProcessAffliction {
    env: Env,
    effect: HolderEffect,
    hit: Vec<Hit>,
}

#[derive(Debug)]
struct Hit {
    seat: Arc<ProcessSeat>,
    process: u32,
    seen: String,
}

impl ProcessAffliction {
    pub(super) async fn begin<'a>(
        env: &Env,
        seats: impl Iterator<Item = &'a Arc<ProcessSeat>>,
        effect: HolderEffect,
    ) -> Result<Self, RigError> {
        // Made first: dropped half-way, it relieves.
        let mut affliction = Self { env: env.clone(), effect, hit: Vec::new() };
        for seat in seats {
            let hit = match effect {
                HolderEffect::Pause => seat.stop().map(|process| (process, String::new())),
                HolderEffect::Kill => seat.kill()?.map(|(process, status)| {
                    (process, format!("process {process} ended at {}: {status}", env.now()))
                }),
            };
            let hit = hit.map(|(process, seen)| Hit { seat: Arc::clone(seat), process, seen });
            affliction.hit.extend(hit);
        }
        if effect == HolderEffect::Pause {
            // Signalled one after the other, and then waited for, so that all stand still at one time.
            for hit in &mut affliction.hit {
                hit.seen = stood_still(env, hit.process).await?;
                // A lock's adapter is a child of its holder, and as good as a part of it.
                for child in stop_families(hit.process) {
                    let seen = stood_still(env, child).await?;
                    hit.seen = format!("{}, its adapter, {seen}", hit.seen);
                }
            }
        }
        Ok(affliction)
    }
}

impl HolderAffliction for ProcessAffliction {
    fn hit(&self) -> Vec<HolderId> {
        self.hit.iter().map(|hit| hit.seat.holder).collect()
    }

    fn heal(mut self: Box<Self>) -> BoxFuture<'static, Result<Vec<String>, RigError>> {
        async move {
            let mut told = Vec::new();
            let at = self.env.now();
            // All at one time; what came of it is looked at then.
            let healed: Vec<_> = std::mem::take(&mut self.hit)
                .into_iter()
                .map(|hit| match self.effect {
                    HolderEffect::Kill => {
                        hit.seat.restart();
                        (hit, None)
                    }
                    HolderEffect::Pause => {
                        let goes_on = hit.seat.let_go_on(hit.process);
                        (hit, Some(goes_on))
                    }
                })
                .collect();
            for (Hit { seat, process, seen }, goes_on) in healed {
                told.push(match goes_on {
                    None => seen,
                    Some(goes_on) => match goes_on {
                        GoesOn::Now => match went_on(&self.env, process, at).await {
                            Ok(on) => format!("{seen}, {on}"),
                            Err(error) if seat.has(process) => return Err(error),
                            Err(_) => died(&seen),
                        },
                        GoesOn::Later => format!("{seen}, and another fault keeps it so"),
                        GoesOn::Never => died(&seen),
                    },
                });
            }
            Ok(told)
        }
        .boxed()
    }
}

impl Drop for ProcessAffliction {
    fn drop(&mut self) {
        for hit in &self.hit {
            match self.effect {
                HolderEffect::Kill => hit.seat.restart(),
                HolderEffect::Pause => drop(hit.seat.let_go_on(hit.process)),
            }
        }
    }
}

fn died(seen: &str) -> String {
    format!("{seen}, and never went on: it died")
}

//! What faults do to holders' processes, and the proof of each.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::{HolderId, Instant};

use super::seat::{GoesOn, ProcessSeat};
use crate::live::process_state::thread_states;
use crate::{HolderAffliction, HolderEffect, RigError};

/// A signal is obeyed within microseconds, unless the machine has no time for anybody.
const OBEYED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_micros(200);
/// As the kernel shows a process that SIGSTOP has reached.
const STOPPED: char = 'T';

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

/// Waits until every thread of `process` stands still.
async fn stood_still(env: &Env, process: u32) -> Result<String, RigError> {
    let threads = shows(env, process, "stood still after SIGSTOP", |states| {
        states.iter().all(|&state| state == STOPPED)
    });
    let count = threads.await?.len();
    let noun = if count == 1 { "thread" } else { "threads" };
    Ok(format!("process {process} in state T ({count} {noun}) at {} after SIGSTOP", env.now()))
}

/// Waits until no thread of `process` stands still any more.
async fn went_on(env: &Env, process: u32, sent: Instant) -> Result<String, RigError> {
    let threads =
        shows(env, process, "went on after SIGCONT", |states| !states.contains(&STOPPED)).await?;
    let state = threads.first().copied().unwrap_or('?');
    Ok(format!("in state {state} at {} after SIGCONT at {sent}", env.now()))
}

async fn shows(
    env: &Env,
    process: u32,
    what: &str,
    holds: impl Fn(&[char]) -> bool + Send,
) -> Result<Vec<char>, RigError> {
    let deadline = env.now() + OBEYED_WITHIN;
    loop {
        let states = thread_states(process).map_err(|error| {
            RigError::new(format!("cannot see whether process {process} {what}")).because(error)
        })?;
        if !states.is_empty() && holds(&states) {
            return Ok(states);
        }
        if env.now() >= deadline {
            return Err(RigError::new(format!(
                "process {process} has not {what} within {OBEYED_WITHIN:?}: {states:?}"
            )));
        }
        env.sleep(POLL).await;
    }
}

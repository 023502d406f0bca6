//! What befalls holders befalls their adapters.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Instant};

use super::Adapters;
use super::child::Child;
use crate::live::process_state::{stood_still, went_on};
use crate::{HolderAffliction, HolderEffect, RigError};

/// Holders that are tasks, each with an adapter, that suffer something.
#[derive(Debug)]
pub(in crate::live) struct AdapterAffliction {
    /// They go on after their adapters, which can answer them then.
    tasks: Option<Box<dyn HolderAffliction>>,
    adapters: Arc<Adapters>,
    effect: HolderEffect,
    hit: Vec<Hit>,
}

#[derive(Debug)]
struct Hit {
    holder: HolderId,
    process: u32,
    seen: String,
}

impl AdapterAffliction {
    /// Does `effect` to the adapters of `holders`, and then to `tasks`: nothing is waited for once they stand still, since
    /// whoever waits may be one of them.
    pub(in crate::live) async fn begin(
        adapters: &Arc<Adapters>,
        holders: &[HolderId],
        effect: HolderEffect,
        tasks: impl FnOnce() -> Box<dyn HolderAffliction> + Send,
    ) -> Result<Self, RigError> {
        // Made first: dropped half-way, it relieves.
        let adapters = Arc::clone(adapters);
        let mut affliction = Self { tasks: None, adapters, effect, hit: Vec::new() };
        for &holder in holders {
            let hit = match effect {
                HolderEffect::Pause => affliction.adapters.stop(holder),
                HolderEffect::Kill => affliction.adapters.kill(holder)?,
            };
            affliction.hit.extend(hit);
        }
        if effect == HolderEffect::Pause {
            let adapters = Arc::clone(&affliction.adapters);
            for hit in &mut affliction.hit {
                hit.seen = match stood_still(&adapters.env, hit.process).await {
                    Ok(seen) => format!("its adapter, {seen}"),
                    // Whoever asks it something will be told.
                    Err(_) if !adapters.has(hit) => "its adapter has died".to_owned(),
                    Err(error) => return Err(error),
                };
            }
        }
        affliction.tasks = Some(tasks());
        Ok(affliction)
    }
}

impl HolderAffliction for AdapterAffliction {
    fn hit(&self) -> Vec<HolderId> {
        self.tasks.as_ref().map(|tasks| tasks.hit()).unwrap_or_default()
    }

    fn heal(mut self: Box<Self>) -> BoxFuture<'static, Result<Vec<String>, RigError>> {
        async move {
            let adapters = Arc::clone(&self.adapters);
            let at = adapters.env.now();
            let healed: Vec<_> = std::mem::take(&mut self.hit)
                .into_iter()
                .map(|hit| {
                    let goes_on = self.effect == HolderEffect::Pause && adapters.let_go_on(&hit);
                    (hit, goes_on)
                })
                .collect();
            let mut told = match self.tasks.take() {
                Some(tasks) => tasks.heal().await?,
                None => Vec::new(),
            };
            for (hit, goes_on) in healed {
                told.push(if goes_on { adapters.seen_go_on(hit, at).await? } else { hit.seen });
            }
            Ok(told)
        }
        .boxed()
    }
}

impl Drop for AdapterAffliction {
    fn drop(&mut self) {
        for hit in &self.hit {
            if self.effect == HolderEffect::Pause {
                self.adapters.let_go_on(hit);
            }
        }
    }
}

impl Adapters {
    /// Stops the adapter of `holder`, where one lives.
    fn stop(&self, holder: HolderId) -> Option<Hit> {
        let mut children = self.children();
        let child = children.get_mut(&holder)?;
        if child.exited().is_some() {
            return None;
        }
        child.stop();
        Some(Hit { holder, process: child.id(), seen: String::new() })
    }

    /// Kills it, where one lives.
    fn kill(&self, holder: HolderId) -> Result<Option<Hit>, RigError> {
        let Some(child) = self.children().remove(&holder) else { return Ok(None) };
        let process = child.id();
        let status = child.kill().map_err(|error| {
            RigError::new(format!("cannot kill process {process}")).because(error)
        })?;
        let seen = format!("its adapter, process {process}, ended at {}: {status}", self.env.now());
        Ok(Some(Hit { holder, process, seen }))
    }

    /// Takes one stop back; whether it goes on.
    fn let_go_on(&self, hit: &Hit) -> bool {
        let mut children = self.children();
        let child = children.get_mut(&hit.holder).filter(|child| child.id() == hit.process);
        child.is_some_and(Child::let_go_on)
    }

    /// What was seen of it from its stop to now, when it goes on.
    async fn seen_go_on(&self, hit: Hit, at: Instant) -> Result<String, RigError> {
        match went_on(&self.env, hit.process, at).await {
            Ok(on) => Ok(format!("{}, {on}", hit.seen)),
            Err(error) if self.has(&hit) => Err(error),
            Err(_) => Ok(format!("{}, and never went on: it died", hit.seen)),
        }
    }

    fn has(&self, hit: &Hit) -> bool {
        let mut children = self.children();
        let child = children.get_mut(&hit.holder).filter(|child| child.id() == hit.process);
        child.is_some_and(|child| child.exited().is_none())
    }
}

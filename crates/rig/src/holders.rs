//! What a fault can do to holders, and what it does where they are tasks.

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Group;
use lockproof_model::HolderId;

use crate::{Rig, RigError};

/// What a fault does to a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderEffect {
    /// It stands still while time goes on: its tasks are not polled, its process gets SIGSTOP.
    Pause,
    /// It dies where it stands; healed, it may be started again. Its tasks are dropped, its process gets SIGKILL.
    Kill,
}

/// Holders that suffer something. Dropping it heals as well as can be done at once, without a report.
pub trait HolderAffliction: Debug + Send {
    /// Whom it hit: not those who were dead already, and had nothing to suffer with.
    fn hit(&self) -> Vec<HolderId>;

    /// Ends it, and says what was observed, a phrase each. Of tasks there is nothing to say: whether they are polled is
    /// up to the program itself.
    ///
    /// # Errors
    /// It could not be ended.
    fn heal(self: Box<Self>) -> BoxFuture<'static, Result<Vec<String>, RigError>>;
}

/// Does `effect` to the tasks of `holders`, as far as `rig` has them.
pub(crate) fn afflict_tasks<R: Rig + ?Sized>(
    rig: &R,
    holders: &[HolderId],
    effect: HolderEffect,
) -> Box<dyn HolderAffliction> {
    let known = holders.iter().filter_map(|&holder| Some((holder, rig.group(holder)?)));
    // Nobody dies twice: who is dead already is another affliction's to start again.
    let groups: Vec<_> =
        known.filter(|(_, group)| effect != HolderEffect::Kill || !group.is_killed()).collect();
    for (_, group) in &groups {
        match effect {
            HolderEffect::Pause => group.pause(),
            HolderEffect::Kill => group.kill(),
        }
    }
    Box::new(AfflictedTasks { groups, effect })
}

#[derive(Debug)]
struct AfflictedTasks {
    groups: Vec<(HolderId, Group)>,
    effect: HolderEffect,
}

impl HolderAffliction for AfflictedTasks {
    fn hit(&self) -> Vec<HolderId> {
        self.groups.iter().map(|(holder, _)| *holder).collect()
    }

    fn heal(self: Box<Self>) -> BoxFuture<'static, Result<Vec<String>, RigError>> {
        // Its drop does it.
        std::future::ready(Ok(Vec::new())).boxed()
    }
}

impl Drop for AfflictedTasks {
    fn drop(&mut self) {
        for (_, group) in &self.groups {
            match self.effect {
                HolderEffect::Pause => group.resume(),
                HolderEffect::Kill => group.restart(),
            }
        }
    }
}

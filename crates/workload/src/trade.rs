//! What holders work with: a lock and a database, or a service that has both.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lockproof_env::{Env, Group};
use lockproof_model::{AttemptResult, HolderId};

use crate::catalog::{FlowEntry, FlowSettings};
use crate::holder::{Holder, Target};
use crate::life::connect;
use crate::load::{Parties, SetUpError};
use crate::walk::{Pen, Walk};

/// What a seat gives its holders to work with, in one life after the other.
pub(crate) trait Trade: Debug + Send + Sync + 'static {
    /// A holder at work.
    type Worker: Worker;

    /// The run's own; holders get forks of it.
    fn env(&self) -> &Env;

    /// Raised to end the load early.
    fn halt(&self) -> &Arc<AtomicBool>;

    /// Connects holder `id` for its first life, or a later one, its tasks in `group`.
    fn take_up(
        &self,
        group: &Group,
        id: HolderId,
        life: u32,
        settings: FlowSettings,
        pen: Pen,
    ) -> impl Future<Output = Result<Self::Worker, SetUpError>> + Send;
}

/// A holder that can be handed one attempt after the other.
pub(crate) trait Worker: Send + 'static {
    /// What it has in common with every other.
    fn walk(&self) -> &Walk;

    /// Takes one attempt from its first step to its last.
    fn book(
        &mut self,
        flow: &'static FlowEntry,
        target: Target,
    ) -> impl Future<Output = AttemptResult> + Send;

    /// Waits for what it left to be done in the background.
    fn settle(&mut self) -> impl Future<Output = ()> + Send;
}

impl Trade for Parties {
    type Worker = Holder;

    fn env(&self) -> &Env {
        &self.env
    }

    fn halt(&self) -> &Arc<AtomicBool> {
        &self.halt
    }

    fn take_up(
        &self,
        group: &Group,
        id: HolderId,
        life: u32,
        settings: FlowSettings,
        pen: Pen,
    ) -> impl Future<Output = Result<Holder, SetUpError>> + Send {
        connect(self, group, id, life, settings, pen)
    }
}

impl Worker for Holder {
    fn walk(&self) -> &Walk {
        &self.walk
    }

    fn book(
        &mut self,
        flow: &'static FlowEntry,
        target: Target,
    ) -> impl Future<Output = AttemptResult> + Send {
        flow.flow.book(self, target)
    }

    fn settle(&mut self) -> impl Future<Output = ()> + Send {
        self.driver.settle()
    }
}

//! The contract of [`Fault`], run against every entry of the catalog.
//!
//! ```text
//!   a stage: a lock held, a transaction open, everything answers ─▶ no symptom
//!   inject ─▶ the symptom is there ─▶ heal: it bit, and says what was observed ─▶ everything answers, no symptom
//!   the same again, dropped instead of healed
//! ```
//!
//! A trial's symptom is looked for by the lock, the store and the server's own clock, and never through the rig: what
//! an injection says of itself is not what proves it.

use futures_util::future::BoxFuture;
use lockproof_faults::{Argument, Arguments, Fault, FaultEntry, Injection, Worlds, find};
use lockproof_model::Point;
use lockproof_rig::live::find_provider;
use lockproof_rig::{LinkSelector, Topology};

mod clocks;
mod stage;
mod symptoms;
mod trials;

pub use self::stage::Stage;
use self::stage::in_time;
pub use self::trials::TRIALS;

/// One fault, as it is done and noticed.
#[derive(Clone, Copy)]
pub struct Trial {
    /// Its name in those of tests.
    pub name: &'static str,
    /// Which, as the catalog names it.
    pub fault: &'static str,
    /// Its own fields.
    pub fields: &'static [(&'static str, Setting)],
    /// The topologies of Redis that it is tried on.
    pub topologies: &'static [Topology],
    /// Where the holder stands that it happens to.
    pub point: Point,
    /// What becomes of a rig that lets go without healing.
    pub dropped: Dropped,
    /// Whether it is in effect.
    pub symptom: for<'a> fn(&'a mut Stage) -> BoxFuture<'a, bool>,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A field's value.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    /// `"…"`
    Text(&'static str),
    /// `1.5`
    Number(f64),
}

/// So often is a symptom looked for.
const TIMES: u32 = 100;

/// What a dropped injection leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// A rig that works: what was done is undone at once.
    Healed,
    /// A rig that is about to be dropped too: a server that is down stays down.
    Down,
    /// A rig to which it cannot be done a second time.
    Once,
}

impl Trial {
    /// The catalog's entry.
    ///
    /// # Panics
    /// It has none of that name.
    #[must_use]
    pub fn entry(&self) -> &'static FaultEntry {
        find(self.fault).unwrap_or_else(|| panic!("the catalog has no {}", self.fault))
    }

    /// The fault, with its settings.
    ///
    /// # Panics
    /// It does not take them.
    #[must_use]
    pub fn build(&self) -> std::sync::Arc<dyn Fault> {
        let value = |setting| match setting {
            Setting::Text(text) => Argument::Text(text.to_owned()),
            Setting::Number(number) => Argument::Float(number),
        };
        let fields = self.fields.iter().map(|&(name, setting)| (name.to_owned(), value(setting)));
        let mut arguments = Arguments::new(fields);
        let fault = (self.entry().build)(&mut arguments).expect("a trial's fields are fine");
        assert_eq!(arguments.left_over(), None);
        fault
    }

    /// Why it is not done on servers of `provider`, where it is not.
    ///
    /// # Panics
    /// There is no such provider.
    #[must_use]
    pub fn refusal(&self, provider: &str, topology: Topology) -> Option<String> {
        let entry = find_provider(provider).expect("a provider of that name");
        let fault = self.build();
        if self.entry().worlds == Worlds::SimulatedOnly || fault.needs_simulation().is_some() {
            return Some("only the simulated world can do it".to_owned());
        }
        if !self.topologies.contains(&topology) {
            return Some(format!("it is not tried on Redis servers that are {topology}"));
        }
        if self.on_database() && !entry.has_database_link() {
            return Some("its database is a file and no server".to_owned());
        }
        let effect = fault.server_effect()?;
        let mut kinds = self.selectors().into_iter().map(LinkSelector::kind);
        kinds.find_map(|kind| (entry.refuses)(kind, effect)).map(ToOwned::to_owned)
    }

    /// Whether it is done to the database or to the way there.
    #[must_use]
    pub fn on_database(&self) -> bool {
        use lockproof_faults::Reach;
        self.build().reach() == Reach::DatabaseSession
            || self.selectors().contains(&LinkSelector::Database)
    }

    fn selectors(&self) -> Vec<LinkSelector> {
        use lockproof_faults::Reach;
        match self.build().reach() {
            Reach::Links(selectors) | Reach::Servers(selectors) => selectors,
            _ => Vec::new(),
        }
    }

    /// Does it, proves it, heals it, and proves that it is healed.
    ///
    /// # Panics
    /// Any of these fails.
    pub async fn cycle(&self, stage: &mut Stage) {
        let injection = self.inject(stage).await;
        let env = stage.env.clone();
        let healed = in_time(&env, "it is healed", injection.heal(env.now())).await;
        assert!(healed.bit, "{}: {healed:?}", self.name);
        assert!(!healed.observed.is_empty(), "{}: nothing was observed", self.name);
        self.is_over(stage).await;
    }

    /// The same, dropped instead of healed.
    ///
    /// # Panics
    /// Something of it is left.
    pub async fn drop_cycle(&self, stage: &mut Stage) {
        if self.dropped == Dropped::Once {
            return;
        }
        drop(self.inject(stage).await);
        if self.dropped == Dropped::Healed {
            self.is_over(stage).await;
        }
    }

    async fn inject(&self, stage: &mut Stage) -> Box<dyn Injection> {
        stage.restore().await;
        self.shows_no_more(stage, "before anything was done").await;
        let fault = self.build();
        let injection = stage.inject(fault.as_ref(), self.point).await;
        for _ in 0..TIMES {
            if (self.symptom)(stage).await {
                return injection;
            }
            stage.a_moment().await;
        }
        panic!("{}: no symptom showed", self.name);
    }

    /// Everything answers, and the symptom is gone: by itself where the fault was healed, with a new lock and a new
    /// transaction where it was over at once.
    async fn is_over(&self, stage: &mut Stage) {
        stage.restore().await;
        self.shows_no_more(stage, "though it is over").await;
    }

    /// Looked for more than once: on a busy machine a late answer looks like none.
    async fn shows_no_more(&self, stage: &mut Stage, when: &str) {
        for _ in 0..TIMES {
            if !(self.symptom)(stage).await {
                return;
            }
            stage.restore().await;
        }
        panic!("{}: the symptom shows {when}", self.name);
    }
}

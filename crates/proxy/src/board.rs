//! Which toxics are in force on a proxy, for all its connections to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::effect::{Effect, Installed, ToxicRecord};
use crate::spec::{ToxicId, ToxicSpec};

/// The toxics in force, in the order in which they were added.
pub(crate) type List = Arc<[Arc<Installed>]>;

#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) seed: u64,
    pub(crate) started: Instant,
    last: AtomicU64,
    toxics: watch::Sender<List>,
}

impl Board {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            started: Instant::now(),
            last: AtomicU64::new(0),
            toxics: watch::Sender::new(Arc::new([])),
        }
    }

    /// In force when this returns: every chunk read from now on is shown to it.
    pub(crate) fn add(&self, spec: ToxicSpec) -> ToxicId {
        let mut added = ToxicId(0);
        self.toxics.send_modify(|list| {
            // Numbered under the list's lock, so that the list is in the order of numbers.
            added = ToxicId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
            let new = Arc::new(Installed::new(added, spec, self.at(Instant::now())));
            *list = list.iter().cloned().chain([new]).collect();
        });
        added
    }

    pub(crate) fn remove(&self, id: ToxicId) -> Option<ToxicRecord> {
        let mut removed = None;
        self.toxics.send_if_modified(|list| {
            let (gone, rest): (Vec<_>, Vec<_>) =
                list.iter().cloned().partition(|toxic| toxic.id == id);
            *list = rest.into();
            removed = gone.first().map(|toxic| toxic.record());
            removed.is_some()
        });
        removed
    }

    pub(crate) fn records(&self) -> Vec<ToxicRecord> {
        self.toxics.borrow().iter().map(|toxic| toxic.record()).collect()
    }

    pub(crate) fn effect(&self, id: ToxicId) -> Option<watch::Receiver<Effect>> {
        self.toxics.borrow().iter().find(|toxic| toxic.id == id).map(|toxic| toxic.watch())
    }

    /// Sees the list, and each change of it.
    pub(crate) fn subscribe(&self) -> watch::Receiver<List> {
        let mut news = self.toxics.subscribe();
        news.mark_changed(); // whatever is in force already is news to a new connection
        news
    }

    /// An instant, as time since the proxy started.
    pub(crate) fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.started)
    }
}

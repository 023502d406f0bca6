//! Which toxics are in force on a proxy, for all its connections to see.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::effect::{Effect, Installed, ToxicRecord};
use crate::follow::Protocol;
use crate::spec::{ToxicId, ToxicSpec};

/// The toxics in force, in the order in which they were added.
pub(crate) type List = Arc<[Arc<Installed>]>;

#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) seed: u64,
    pub(crate) started: Instant,
    /// What every connection is followed in, if it was said.
    pub(crate) followed: OnceLock<Protocol>,
    /// Connections that could not be followed to their end.
    pub(crate) lost: AtomicU64,
    accepted: AtomicU64,
    last: AtomicU64,
    toxics: watch::Sender<List>,
}

impl Board {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            started: Instant::now(),
            followed: OnceLock::new(),
            lost: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            last: AtomicU64::new(0),
            toxics: watch::Sender::new(Arc::new([])),
        }
    }

    /// In force when this returns: every chunk read from now on is shown to it.
    pub(crate) fn add(&self, spec: ToxicSpec) -> ToxicId {
        self.replace(ToxicId::NOBODY, spec)
    }

    /// The same, and in the same moment another one is gone.
    pub(crate) fn replace(&self, old: ToxicId, spec: ToxicSpec) -> ToxicId {
        let mut added = ToxicId::NOBODY;
        self.toxics.send_modify(|list| {
            // Numbered under the list's lock, so that the list is in the order of numbers.
            added = ToxicId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
            let youngest = self.accepted.load(Ordering::Relaxed);
            let new = Arc::new(Installed::new(added, spec, youngest, self.at(Instant::now())));
            let others = list.iter().filter(|toxic| toxic.id != old);
            *list = others.cloned().chain([new]).collect();
        });
        added
    }

    /// The number of a connection that was accepted just now.
    pub(crate) fn accept(&self) -> u64 {
        self.accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Which protocol a new connection is followed in: the one that was said, or that of a rule in force.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        let of_rule = |toxic: &Arc<Installed>| toxic.spec.protocol();
        self.followed.get().copied().or_else(|| self.toxics.borrow().iter().find_map(of_rule))
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

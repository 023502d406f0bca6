//! Who watches which key (WATCH).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;

/// Keys are forgotten in bulk once there are so many more than at the last look.
const KEYS_BETWEEN_LOOKS: usize = 1_024;

/// One session's watch: its keys, and whether one of them has been touched.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    touched: AtomicBool,
}

impl Watch {
    pub(crate) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Relaxed)
    }
}

/// The watched keys of all sessions. A watch that its session has dropped is forgotten by itself.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_key: BTreeMap<(usize, Bytes), Vec<Weak<Watch>>>,
    look_at: usize,
}

impl Watches {
    pub(crate) fn add(&mut self, database: usize, key: Bytes, watch: &Arc<Watch>) {
        if self.by_key.len() >= self.look_at {
            self.by_key.retain(|_, watches| {
                watches.retain(|watch| watch.strong_count() > 0);
                !watches.is_empty()
            });
            self.look_at = 2 * self.by_key.len() + KEYS_BETWEEN_LOOKS;
        }
        let watches = self.by_key.entry((database, key)).or_default();
        watches.retain(|other| other.strong_count() > 0);
        watches.push(Arc::downgrade(watch));
    }

    /// Tells all who watch `key` that it has changed: their watch is over.
    pub(crate) fn touch(&mut self, database: usize, key: &Bytes) {
        if self.by_key.is_empty() {
            return;
        }
        for watch in self.by_key.remove(&(database, key.clone())).unwrap_or_default() {
            if let Some(watch) = watch.upgrade() {
                watch.touched.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Touches all watched keys of a database for which `exists`: it is about to be emptied.
    pub(crate) fn touch_all(&mut self, database: usize, exists: impl Fn(&Bytes) -> bool) {
        let keys: Vec<Bytes> = self
            .by_key
            .keys()
            .filter(|(of, key)| *of == database && exists(key))
            .map(|(_, key)| key.clone())
            .collect();
        keys.iter().for_each(|key| self.touch(database, key));
    }
}

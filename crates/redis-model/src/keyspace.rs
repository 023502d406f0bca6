//! Keys, values and when they end.
//!
//! A database is one ordered map by (hash of the key, key). The order gives SCAN its guarantee: a
//! cursor is the hash at which the next page begins, so that a key which exists during the whole
//! scan is met exactly once, whatever is written meanwhile. And comparing two numbers is quicker
//! than comparing two names.
//!
//! A key that has expired is reaped when it is touched, as in Redis. What is never touched again is
//! swept once as many writes have passed as there are keys, so that it cannot pile up; Redis does
//! this from a timer, which the model does not have.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use crate::clock::WallClock;
use crate::reply::Refusal;

/// Fewer writes than this never cause a sweep.
const WRITES_BETWEEN_SWEEPS_MIN: usize = 1_024;

/// What a key holds. Strings so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    String(Bytes),
}

impl Value {
    /// The word that TYPE answers.
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
        }
    }

    /// The string inside, or Redis' refusal of every other type.
    #[expect(clippy::unnecessary_wraps, reason = "other types come with their commands")]
    pub(crate) const fn as_string(&self) -> Result<&Bytes, Refusal> {
        match self {
            Self::String(text) => Ok(text),
        }
    }

    const fn size(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
        }
    }
}

/// A value, and the millisecond of the wall clock after which it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) expires_at_ms: Option<i64>,
}

impl Entry {
    /// Redis lets a key live through the whole millisecond at which it expires.
    fn is_expired(&self, now: WallClock) -> bool {
        self.expires_at_ms.is_some_and(|at| now.unix_millis() > at)
    }
}

/// One of the server's numbered databases.
#[derive(Debug, Default)]
pub(crate) struct Database {
    entries: BTreeMap<Slot, Entry>,
    writes_since_sweep: usize,
}

/// One page of a scan.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) keys: Vec<Bytes>,
    /// Where the next page begins; 0 when this was the last.
    pub(crate) next_cursor: u64,
}

impl Database {
    /// The live entry of `key`; an expired one is reaped on the way.
    pub(crate) fn get(&mut self, key: &Bytes, now: WallClock) -> Option<&Entry> {
        self.get_mut(key, now).map(|entry| &*entry)
    }

    /// As [`get`](Self::get), to be changed in place.
    pub(crate) fn get_mut(&mut self, key: &Bytes, now: WallClock) -> Option<&mut Entry> {
        let slot = Slot::of(key);
        if self.entries.get(&slot)?.is_expired(now) {
            self.entries.remove(&slot);
            return None;
        }
        self.entries.get_mut(&slot)
    }

    pub(crate) fn insert(&mut self, key: &Bytes, entry: Entry, now: WallClock) {
        self.entries.insert(Slot::of(key), entry);
        self.writes_since_sweep += 1;
        if self.writes_since_sweep > self.entries.len().max(WRITES_BETWEEN_SWEEPS_MIN) {
            self.sweep(now);
        }
    }

    /// Whether a live key went away.
    pub(crate) fn remove(&mut self, key: &Bytes, now: WallClock) -> bool {
        self.entries.remove(&Slot::of(key)).is_some_and(|entry| !entry.is_expired(now))
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Reaps all that has expired.
    pub(crate) fn sweep(&mut self, now: WallClock) {
        self.writes_since_sweep = 0;
        self.entries.retain(|_, entry| !entry.is_expired(now));
    }

    /// How many keys there are, expired ones included unless swept before.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them have an expiry.
    pub(crate) fn expiring_len(&self) -> usize {
        self.entries.values().filter(|entry| entry.expires_at_ms.is_some()).count()
    }

    /// Bytes of keys and values, without what storing them costs.
    pub(crate) fn payload_size(&self) -> usize {
        self.entries.iter().map(|(slot, entry)| slot.key.len() + entry.value.size()).sum()
    }

    /// Live keys with their entries, in the order of a scan.
    pub(crate) fn iter(&self, now: WallClock) -> impl Iterator<Item = (&Bytes, &Entry)> {
        self.entries
            .iter()
            .filter(move |(_, entry)| !entry.is_expired(now))
            .map(|(slot, entry)| (&slot.key, entry))
    }

    /// At least `count` keys from `cursor` on, for which `wanted` then decides; keys of one hash
    /// stay on one page.
    pub(crate) fn page(
        &self,
        cursor: u64,
        count: usize,
        wanted: impl Fn(&Bytes, &Entry) -> bool,
    ) -> Page {
        let from = Slot { hash: cursor, key: Bytes::new() };
        let mut keys = Vec::new();
        let mut last_hash = None;
        let range = (Bound::Included(from), Bound::Unbounded);
        for (seen, (slot, entry)) in self.entries.range(range).enumerate() {
            if seen >= count && last_hash != Some(slot.hash) {
                return Page { keys, next_cursor: slot.hash };
            }
            last_hash = Some(slot.hash);
            if wanted(&slot.key, entry) {
                keys.push(slot.key.clone());
            }
        }
        Page { keys, next_cursor: 0 }
    }
}

/// Where a key is: ordered by hash, then by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    hash: u64,
    key: Bytes,
}

impl Slot {
    fn of(key: &Bytes) -> Self {
        Self { hash: hash(key), key: key.clone() }
    }
}

/// FNV-1a: the same in every run. Never 0, since a cursor of 0 means the end.
fn hash(key: &[u8]) -> u64 {
    let folded = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    folded.max(1)
}

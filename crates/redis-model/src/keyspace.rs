//! Keys, values and when they end.
//!
//! A database is one ordered map by (hash of the key, key). The order gives SCAN its guarantee: a
//! cursor is the hash at which the next page begins, so that a key which exists during the whole
//! scan is met exactly once, whatever is written meanwhile. And comparing two numbers is quicker
//! than comparing two names.
//!
//! All expiries are in a heap, soonest first. What is due is reaped before each command, so
//! that no command ever meets an expired key; Redis reaps it when touched or by a timer, which
//! differs only in what DBSIZE counts and when an `expired` event is sent.
//!
//! An expiry that is taken back, as that of every lock that is released, stays in the heap until it
//! comes up: putting it there and leaving it takes a third of what finding it in a map would.

use std::borrow::Borrow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Bound;

use bytes::Bytes;

use crate::clock::WallClock;
use crate::value::Value;

/// A value, and the millisecond of the wall clock after which it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    expires_at_ms: Option<i64>,
}

impl Entry {
    pub(crate) const fn expires_at_ms(&self) -> Option<i64> {
        self.expires_at_ms
    }
}

/// The databases of a server.
#[derive(Debug, Default)]
pub(crate) struct Keyspace {
    databases: Vec<Database>,
    /// Every deadline that a key has, and some that one had.
    expiries: BinaryHeap<Reverse<Expiry>>,
}

type Database = BTreeMap<Slot, Entry>;

/// (deadline, database, key)
type Expiry = (i64, usize, Bytes);

/// Taken back expiries that the heap may hold before it is looked through.
const STALE_MIN: usize = 256;

/// One page of a scan.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) keys: Vec<Bytes>,
    /// Where the next page begins; 0 when this was the last.
    pub(crate) next_cursor: u64,
}

impl Keyspace {
    pub(crate) fn new(databases: usize) -> Self {
        Self { databases: vec![Database::new(); databases], expiries: BinaryHeap::new() }
    }

    pub(crate) fn database_count(&self) -> usize {
        self.databases.len()
    }

    pub(crate) fn get(&self, database: usize, key: &Bytes) -> Option<&Entry> {
        self.databases[database].get(&Place::of(key) as &dyn Placed)
    }

    /// The value of `key`, to be changed in place.
    pub(crate) fn get_mut(&mut self, database: usize, key: &Bytes) -> Option<&mut Value> {
        self.databases[database]
            .get_mut(&Place::of(key) as &dyn Placed)
            .map(|entry| &mut entry.value)
    }

    /// The value of `key`, or a new one without an expiry.
    pub(crate) fn get_or_insert(
        &mut self,
        database: usize,
        key: &Bytes,
        value: impl FnOnce() -> Value,
    ) -> &mut Value {
        let entry = || Entry { value: value(), expires_at_ms: None };
        &mut self.databases[database].entry(Slot::of(key)).or_insert_with(entry).value
    }

    pub(crate) fn insert(
        &mut self,
        database: usize,
        key: &Bytes,
        value: Value,
        expires_at_ms: Option<i64>,
    ) {
        let entry = Entry { value, expires_at_ms };
        let before = self.databases[database].insert(Slot::of(key), entry);
        let before = before.and_then(|entry| entry.expires_at_ms);
        self.moved_expiry(database, key, before, expires_at_ms);
    }

    pub(crate) fn remove(&mut self, database: usize, key: &Bytes) -> Option<Entry> {
        let entry = self.databases[database].remove(&Place::of(key) as &dyn Placed)?;
        self.moved_expiry(database, key, entry.expires_at_ms, None);
        Some(entry)
    }

    /// Sets or takes away the end of a key that exists.
    pub(crate) fn set_expiry(&mut self, database: usize, key: &Bytes, expires_at_ms: Option<i64>) {
        let Some(entry) = self.databases[database].get_mut(&Place::of(key) as &dyn Placed) else {
            return;
        };
        let before = std::mem::replace(&mut entry.expires_at_ms, expires_at_ms);
        self.moved_expiry(database, key, before, expires_at_ms);
    }

    /// Takes away a key that has expired, the one that ended first. Redis lets a key live through
    /// the whole millisecond at which it expires.
    pub(crate) fn take_due(&mut self, now: WallClock) -> Option<(usize, Bytes)> {
        while self.next_expiry_ms()? < now.unix_millis() {
            let Reverse(expiry) = self.expiries.pop()?;
            if !is_stale(&self.databases, &expiry) {
                let (_, database, key) = expiry;
                self.databases[database].remove(&Place::of(&key) as &dyn Placed);
                return Some((database, key));
            }
        }
        None
    }

    /// No key ends before this millisecond is over.
    pub(crate) fn next_expiry_ms(&self) -> Option<i64> {
        self.expiries.peek().map(|Reverse((at, ..))| *at)
    }

    pub(crate) fn clear(&mut self, database: usize) {
        self.databases[database].clear();
        self.expiries.retain(|Reverse((_, of, _))| *of != database);
    }

    pub(crate) fn len(&self, database: usize) -> usize {
        self.databases[database].len()
    }

    /// How many keys have an expiry.
    pub(crate) fn expiring_len(&self, database: usize) -> usize {
        self.databases[database].values().filter(|entry| entry.expires_at_ms.is_some()).count()
    }

    /// Bytes of keys and values, without what storing them costs.
    pub(crate) fn payload_size(&self) -> usize {
        let entries = self.databases.iter().flatten();
        entries.map(|(slot, entry)| slot.key.len() + entry.value.size()).sum()
    }

    /// All keys with their entries, in the order of a scan.
    pub(crate) fn iter(&self, database: usize) -> impl Iterator<Item = (&Bytes, &Entry)> {
        self.databases[database].iter().map(|(slot, entry)| (&slot.key, entry))
    }

    /// The end of a key that is there, or was until now, has changed.
    fn moved_expiry(
        &mut self,
        database: usize,
        key: &Bytes,
        before: Option<i64>,
        now: Option<i64>,
    ) {
        if before == now {
            return;
        }
        if let Some(at) = now {
            self.expiries.push(Reverse((at, database, key.clone())));
        }
        if before.is_some() && self.expiries.len() > STALE_MIN {
            self.forget_stale();
        }
    }

    /// Takes off the heap what was taken back, once it is most of the heap.
    fn forget_stale(&mut self) {
        let Self { databases, expiries } = self;
        let keys: usize = databases.iter().map(BTreeMap::len).sum();
        if expiries.len() > 2 * keys + STALE_MIN {
            expiries.retain(|Reverse(expiry)| !is_stale(databases, expiry));
        }
    }

    /// At least `count` keys from `cursor` on, for which `wanted` then decides; keys of one hash
    /// stay on one page.
    pub(crate) fn page(
        &self,
        database: usize,
        cursor: u64,
        count: usize,
        wanted: impl Fn(&Bytes, &Entry) -> bool,
    ) -> Page {
        let from = Slot { hash: cursor, key: Bytes::new() };
        let mut keys = Vec::new();
        let mut last_hash = None;
        let range = (Bound::Included(from), Bound::Unbounded);
        for (seen, (slot, entry)) in self.databases[database].range(range).enumerate() {
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

/// Whether the key's end is another one by now, or the key is gone.
fn is_stale(databases: &[Database], (at, database, key): &Expiry) -> bool {
    let entry = databases[*database].get(&Place::of(key) as &dyn Placed);
    entry.and_then(Entry::expires_at_ms) != Some(*at)
}

/// Where a key is: ordered by hash, then by name.
#[derive(Debug, Clone)]
struct Slot {
    hash: u64,
    key: Bytes,
}

/// The same of a key that is only looked for.
struct Place<'a> {
    hash: u64,
    key: &'a [u8],
}

impl<'a> Place<'a> {
    fn of(key: &'a [u8]) -> Self {
        Self { hash: hash(key), key }
    }
}

/// What both are ordered by.
trait Placed {
    fn place(&self) -> (u64, &[u8]);
}

impl Placed for Slot {
    fn place(&self) -> (u64, &[u8]) {
        (self.hash, &self.key)
    }
}

impl Placed for Place<'_> {
    fn place(&self) -> (u64, &[u8]) {
        (self.hash, self.key)
    }
}

impl<'a> Borrow<dyn Placed + 'a> for Slot {
    fn borrow(&self) -> &(dyn Placed + 'a) {
        self
    }
}

impl PartialEq for dyn Placed + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn Placed + '_ {}

impl PartialOrd for dyn Placed + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Placed + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Slot {}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl Slot {
    fn of(key: &Bytes) -> Self {
        Self { hash: hash(key), key: key.clone() }
    }
}

/// FNV-1a over words of eight bytes: the same in every run. Never 0, since a cursor of 0 means the end.
fn hash(key: &[u8]) -> u64 {
    let (words, rest) = key.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    let folded = words.fold(0xcbf2_9ce4_8422_2325_u64 ^ key.len() as u64, |hash, word| {
        let hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
        // The upper half tells more of the word than the lower one does.
        hash ^ hash >> 32
    });
    folded.max(1)
}

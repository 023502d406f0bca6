//! What happens when.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::task::Waker;

/// Something that is due.
pub(crate) enum Happening {
    /// A sleep ends.
    Wake(Waker),
    /// A message arrives, a server acts: anything that no task waits for.
    Event(Rc<dyn Event>),
}

/// What the world does by itself, outside every task and every group.
///
/// A value that happens several times, as a request does that arrives, is answered and has its answer arrive, is made
/// once.
pub trait Event {
    /// Does it.
    fn happen(self: Rc<Self>);
}

/// An event that happens once.
pub fn once(what: impl FnOnce() + 'static) -> Rc<dyn Event> {
    struct Once<F>(Cell<Option<F>>);

    impl<F: FnOnce()> Event for Once<F> {
        fn happen(self: Rc<Self>) {
            if let Some(what) = self.0.take() {
                what();
            }
        }
    }

    Rc::new(Once(Cell::new(Some(what))))
}

/// Names an entry as long as it is on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId(Key);

/// When, a number that tells an entry from the one that had its slot before, and the slot: one number, since a heap
/// does little else than compare.
type Key = u128;

/// Entries at one time.
const SLOT_BITS: u32 = 24;
/// Entries in all.
const NUMBER_BITS: u32 = 64 - SLOT_BITS;

const fn slot_of(key: Key) -> usize {
    (key & ((1 << SLOT_BITS) - 1)) as usize
}

const fn at_of(key: Key) -> u64 {
    (key >> 64) as u64
}

/// A heap of happenings, those of one instant in the order in which they were put there.
#[derive(Default)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Reverse<Key>>,
    /// Each with the key of its entry, or of its last.
    slots: Vec<(Key, Option<Happening>)>,
    free: Vec<usize>,
    last_number: u64,
    /// Entries that were taken off and still lie in the heap.
    stale: usize,
}

impl Agenda {
    /// Puts `happening` at `at`, in nanoseconds.
    ///
    /// # Panics
    /// With more entries than a run could make in years.
    pub(crate) fn put(&mut self, at: u64, happening: Happening) -> EntryId {
        self.last_number += 1;
        assert!(self.last_number >> NUMBER_BITS == 0, "an agenda counts its entries in 40 bits");
        let slot = self.free.pop().unwrap_or_else(|| {
            assert!(self.slots.len() >> SLOT_BITS == 0, "an agenda has room for 2²⁴ entries");
            self.slots.push((0, None));
            self.slots.len() - 1
        });
        let number = u128::from(self.last_number) << SLOT_BITS;
        let key = u128::from(at) << 64 | number | slot as Key;
        self.slots[slot] = (key, Some(happening));
        self.heap.push(Reverse(key));
        EntryId(key)
    }

    /// What stands at `id`, to change whom it wakes.
    pub(crate) fn get_mut(&mut self, EntryId(id): EntryId) -> Option<&mut Happening> {
        let (key, happening) = self.slots.get_mut(slot_of(id))?;
        happening.as_mut().filter(|_| *key == id)
    }

    /// Takes an entry off, if it is still there; the caller drops it outside any borrow.
    pub(crate) fn take(&mut self, EntryId(id): EntryId) -> Option<Happening> {
        let (key, happening) = self.slots.get_mut(slot_of(id))?;
        let taken = happening.take_if(|_| *key == id);
        if taken.is_some() {
            self.free.push(slot_of(id));
            self.stale += 1;
            // Time limits are set for every request and hardly ever run out.
            if self.stale > 64 && self.stale * 2 > self.heap.len() {
                let slots = &self.slots;
                self.heap.retain(|Reverse(key)| is_there(slots, *key));
                self.stale = 0;
            }
        }
        taken
    }

    /// The next thing that is due by `until`, and when it is.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(u64, Happening)> {
        while let Some(Reverse(key)) = self.heap.peek()
            && at_of(*key) <= until
        {
            let key = *key;
            self.heap.pop();
            let slot = slot_of(key);
            let (known, happening) = &mut self.slots[slot];
            if let Some(happening) = happening.take_if(|_| *known == key) {
                self.free.push(slot);
                return Some((at_of(key), happening));
            }
            self.stale = self.stale.saturating_sub(1);
        }
        None
    }

    /// Everything, for somebody who drops it.
    pub(crate) fn clear(&mut self) -> Vec<Happening> {
        self.heap.clear();
        self.free.clear();
        self.slots.drain(..).filter_map(|(_, happening)| happening).collect()
    }
}

fn is_there(slots: &[(Key, Option<Happening>)], key: Key) -> bool {
    let (known, happening) = &slots[slot_of(key)];
    *known == key && happening.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Held against a list that is searched.
        #[test]
        fn an_agenda_gives_what_is_due_in_order_and_forgets_what_was_taken_off(
            steps in proptest::collection::vec((0_u64..50, 0_u8..6, 0_usize..100), 1..500),
        ) {
            let mut agenda = Agenda::default();
            let mut list: Vec<(u64, EntryId)> = Vec::new();
            for (at, step, which) in steps {
                match step {
                    0 if !list.is_empty() => {
                        let (_, id) = list.remove(which % list.len());
                        prop_assert!(agenda.take(id).is_some());
                        prop_assert!(agenda.take(id).is_none());
                    }
                    1 => {
                        let due = list.iter().filter(|(due, _)| *due <= at);
                        let first = due.min_by_key(|(_, EntryId(key))| *key).copied();
                        prop_assert_eq!(agenda.pop(at).map(|(at, _)| at), first.map(|(at, _)| at));
                        list.retain(|(_, id)| first.is_none_or(|(_, first)| first != *id));
                    }
                    _ => list.push((at, agenda.put(at, Happening::Wake(Waker::noop().clone())))),
                }
            }
            list.sort_by_key(|(_, EntryId(key))| *key);
            let given = std::iter::from_fn(|| agenda.pop(u64::MAX));
            let given: Vec<u64> = given.map(|(at, _)| at).collect();
            prop_assert_eq!(given, list.iter().map(|(at, _)| *at).collect::<Vec<_>>());
        }
    }
}
